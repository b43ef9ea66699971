"""Every page, in the order in which their addresses are tried."""

from wuye_loop.web import docs, outside, rendering, signing
from wuye_loop.web.oidc import door
from wuye_loop.web.resident import filing, lists, looks, progress, voices
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

PAGES = (
    docs.router,
    rendering.router,
    signing.router,
    door.router,
    looks.router,
    filing.router,
    progress.router,
    voices.router,
    lists.router,
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
#: Tables that an administrator sends, and what was read of them when it is carried out.
SHEET_FORMS = r"/admin/(?:directory|calendar)/import(?:/load)?"
#: Forms that bring photos and files: several of the largest.
BIG_FORMS = r"/(?:r|p|g|t|k)(?:/.*)?"
