"""wuye-loop 物业诉求闭环: grievances about property management, carried from intake to rating and never lost."""

__version__ = "0.1.0"
