from collections import Counter
import pytest
from tests import test_model as m
from tests.site import build
C=Counter()
def test_x(database, tmp_path):
    town=build(database,data=tmp_path)
    real=m.Machine.attempt
    def attempt(self, work, actor, case, lawful, fault, what):
        out=real(self,work,actor,case,lawful,fault,what)
        C[(what, bool(out))]+=1; C["fault "+fault+str(bool(out))]+=1
        return out
    m.Machine.attempt=attempt
    import cProfile,pstats; P=cProfile.Profile(); P.enable(); m.check(town, examples=15); P.disable(); pstats.Stats(P,stream=open("/tmp/prof.txt","w")).sort_stats("cumtime").print_stats(60)
    raise SystemError(C)
