"""Every page, in the order in which their addresses are tried."""

from wuye_loop.web import docs, rendering, signing
from wuye_loop.web.resident import filing, looks, progress
from wuye_loop.web.staff import (
    acting,
    admin,
    board,
    desk,
    grievance,
    inbox,
    meetings,
    papers,
    rules,
    search,
    supervision,
)

PAGES = (
    docs.router,
    rendering.router,
    signing.router,
    looks.router,
    filing.router,
    progress.router,
    inbox.router,
    grievance.router,
    acting.router,
    desk.router,
    search.router,
    board.router,
    supervision.router,
    papers.router,
    meetings.router,
    rules.router,
    admin.router,
)
#: Forms that bring photos and files: several of the largest.
BIG_FORMS = r"/(?:r|p|g|t)(?:/.*)?"
