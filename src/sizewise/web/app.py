"""The application: a route for each verb, the page, health and version."""

from fastapi import FastAPI

from sizewise import __version__
from sizewise.web.names import add_names
from sizewise.web.page import add_page
from sizewise.web.questions import add_questions


def create_app() -> FastAPI:
    """Return the application. It opens no connection and reads no file but its own."""
    app = FastAPI(
        title="sizewise",
        version=__version__,
        summary="How large is this language model, what memory does it need, and where does it fit?",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    add_names(app)
    add_questions(app)
    add_page(app)
    return app
