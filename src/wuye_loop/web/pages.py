"""Every page, in the order in which their addresses are tried; residents' before all else, for they come in a crowd."""

from typing import Final

from wuye_loop.web import docs, outside, rendering, signing
from wuye_loop.web.oidc import door
from wuye_loop.web.resident import filing, lists, looks, progress, voices
from wuye_loop.web.routes import RESIDENTS, Branch
from wuye_loop.web.staff import (
    acting,
    admin,
    assess,
    board,
    bulletins,
    desk,
    grievance,
    inbox,
    loading,
    meetings,
    notices,
    papers,
    rules,
    scores,
    search,
    simulating,
    supervision,
    team,
    trying,
)

_RESIDENTS: Final = (filing.router, progress.router, voices.router, lists.router, looks.router)
#: The same, where they are looked at for their own addresses only.
CROWD: Final = Branch(RESIDENTS, [route for router in _RESIDENTS for route in router.routes])
STAFF: Final = (
    docs.router,
    rendering.router,
    signing.router,
    door.router,
    inbox.router,
    team.router,
    grievance.router,
    acting.router,
    outside.router,
    desk.router,
    search.router,
    board.router,
    supervision.router,
    papers.router,
    meetings.router,
    scores.router,
    assess.router,
    bulletins.router,
    trying.router,
    simulating.router,
    rules.router,
    loading.router,
    notices.router,
    admin.router,
)
PAGES: Final = (*_RESIDENTS, *STAFF)
#: Tables that an administrator sends, and what was read of them when it is carried out.
SHEET_FORMS = r"/admin/(?:directory|calendar)/import(?:/load)?"
#: Forms that bring photos and files: several of the largest.
BIG_FORMS = r"/(?:r|p|g|t|k)(?:/.*)?"
