"""The application: a route for each verb, the page, health and version, and what guards them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from sizewise import __version__
from sizewise.service.answerer import Answerer
from sizewise.web.bodies import WholeBodies
from sizewise.web.errors import Bugs, add_errors
from sizewise.web.headers import add_headers
from sizewise.web.health import add_health
from sizewise.web.host_check import HostCheck
from sizewise.web.hub import add_hub
from sizewise.web.limits import AtOnce, RequestLimits
from sizewise.web.names import add_names
from sizewise.web.openapi import add_document
from sizewise.web.page import add_page
from sizewise.web.questions import add_questions, question_bodies
from sizewise.web.rate import RateLimit
from sizewise.web.security_headers import SecurityHeaders
from sizewise.web.settings import Settings

STREAMED = frozenset({"/api/header"})
"""Addresses that read their bodies themselves."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application. It opens no connection and reads no file but its own."""
    answerer = Answerer()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        answerer.close()

    app = FastAPI(
        title="sizewise",
        version=__version__,
        summary="How large is this language model, what memory does it need, and where does it fit?",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
    )
    add_health(app)
    add_names(app)
    add_headers(app, answerer)
    add_questions(app, answerer)
    if settings is not None and settings.allow_hub:
        add_hub(app, answerer)
    add_page(app)
    add_errors(app)
    add_document(app)
    _guard(app, settings or Settings())
    return app


def _guard(app: FastAPI, settings: Settings) -> None:
    """Put the limits before the routes; what is added last sees a request first."""
    limits = settings.limits
    app.add_middleware(WholeBodies, bodies=question_bodies(), streamed=STREAMED, seconds=limits.body_seconds)
    app.add_middleware(AtOnce, most=limits.at_once)
    app.add_middleware(RateLimit, limits=limits)
    app.add_middleware(RequestLimits, limits=limits)
    app.add_middleware(HostCheck, hosts=settings.hosts)
    app.add_middleware(Bugs)
    app.add_middleware(SecurityHeaders, embed=settings.embed)
