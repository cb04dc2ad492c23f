"""What an author's marks need to know of the whole book: chapters, numbers, terms and sources."""

import posixpath
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from mkdocs.utils.meta import get_data

from labkit.site.core import chapters
from labkit.site.core.chapters import Chapter, ChapterError
from labkit.site.core.tutorial import Tutorial
from labkit.site.markdown import glossary, numbers, quiz
from labkit.site.markdown.chapter import ChapterExtension, Place
from labkit.site.markdown.citations import CitationExtension, SourceError
from labkit.site.markdown.faults import Fault
from labkit.site.markdown.glossary import GlossaryError, GlossaryExtension, Words
from labkit.site.markdown.numbers import NumberExtension, Numbering
from labkit.site.markdown.quiz import QuizExtension
from labkit.site.markdown.tables import TableExtension
from labkit.site.markdown.titles import title

from .navigation import listed

_PLACE = "place.md"  # the page that shows what a reader has read
# The scripts that marks add to a page, by what stands in its HTML. All marks work without.
_SCRIPTS = {
    "assets/js/quiz.js": ['"lab-quiz"'],
    "assets/js/place-page.js": ['"lab-place"'],
    "assets/js/preview.js": ['"lab-ref"', '"lab-term"', '"lab-citation"', '"lab-math"'],
}


class Marks:
    """Keeps the extensions of an author's marks, and tells them which page comes.

    Attributes:
        facts: A text that is another when anything that pages show by these marks is, run times
            apart: a chapter shows its own tutorial's alone.
    """

    def __init__(self) -> None:
        self.chapter = ChapterExtension()
        self.numbers = NumberExtension()
        self.citations = CitationExtension()
        self.glossary = GlossaryExtension()
        self.quiz = QuizExtension()
        self.tables = TableExtension()
        self.facts = ""
        self._place = Place()

    @property
    def extensions(self) -> list[Any]:
        """The extensions of Python-Markdown."""
        return [self.chapter, *self._checked]

    @property
    def _checked(self) -> list[Any]:
        """Those that note what is wrong on a page."""
        return [self.numbers, self.citations, self.glossary, self.quiz, self.tables]

    @property
    def errors(self) -> list[Fault | tuple[str, str]]:
        """What is wrong on the page that was rendered last."""
        return [error for extension in self._checked for error in extension.errors]

    @property
    def chapters(self) -> Sequence[Chapter]:
        """Every chapter, in the order of the book."""
        return self._place.chapters

    def read(
        self,
        files: Files,
        config: MkDocsConfig,
        tutorials: Sequence[Tutorial],
        seconds: Mapping[str, float],
        written: Collection[str],
    ) -> None:
        """Read what the chapters' front matter and the files of sources, terms and paths say.

        Args:
            files: The site's files.
            config: The site's settings.
            tutorials: The tutorials.
            seconds: How long each ran; 0 for one that has not run.
            written: The pages that are a tutorial's chapter; others say what they need.

        Raises:
            PluginError: They do not fit together.
        """
        docs = Path(config.docs_dir)
        texts = {file.src_uri: text for file in files if (text := _text(file)) is not None}
        data = {path: get_data(text) for path, text in texts.items()}
        metas = {path: meta for path, (_, meta) in data.items()}
        titles = {
            path: str(meta.get("title") or title(text) or path)
            for path, (text, meta) in data.items()
        }
        try:
            found = [
                chapters.read(path, titles[path], metas[path], len(texts[path].split()))
                for path, _ in listed(config.nav)
                if path in texts and (path in written or {"needs", "goals"} & set(metas[path]))
            ]
            chapters.ordered(found)
            paths = []
            if (file := docs / "paths.yml").is_file():
                given = yaml.safe_load(file.read_text("utf-8"))
                paths = chapters.paths(given, found, file.name)
            terms = {}
            if (file := docs / "glossary.yml").is_file():
                terms = glossary.read(file)
            self._sources(docs / "references.bib", [*texts.values(), *(t.text for t in tutorials)])
        except ChapterError as error:  # begins with a path below that folder
            raise PluginError(f"{docs.name}/{error}") from None
        except (GlossaryError, SourceError) as error:
            raise PluginError(str(error)) from None
        seconds = {name: second for name, second in seconds.items() if second}
        page = _PLACE if _PLACE in texts else ""
        self._things = numbers.count({chapter.path: texts[chapter.path] for chapter in found})
        tasks = {
            chapter.name: (
                quiz.count(texts[chapter.path]),
                sum(t.kind == "exercise" and t.page == chapter.path for t in self._things),
            )
            for chapter in found
        }
        self._place = Place(found, paths, seconds=seconds, tasks=tasks, page=page)
        self._words = Words(terms, glossary.uses(texts), titles)
        shown = [(c.path, c.title, c.needs, c.goals, c.minutes) for c in found]
        self.facts = repr((shown, paths, tasks, page, self._things, self._words))

    def enter(self, page: Page, link: Callable[[str], str]) -> None:
        """Tell the extensions which page comes."""
        path = page.file.src_uri
        here = next((c for c in self._place.chapters if c.path == path), None)
        place, words = self._place, self._words
        self.chapter.place = replace(place, link=link, here=here)
        self.numbers.numbering = Numbering(self._things, self._chapter_of(path), link)
        self.glossary.words = Words(words.terms, words.used, words.titles, link)
        self.citations.cited.clear()
        for extension in self._checked:
            extension.errors.clear()

    def scripts(self, html: str, docs: Path) -> list[str]:
        """Return the scripts that a page's marks ask for and the site has, as paths on it."""
        return [
            script
            for script, signs in _SCRIPTS.items()
            if any(sign in html for sign in signs) and (docs / script).is_file()
        ]

    def prefix(self, page: Page) -> str:
        """Return what comes before the numbers of a page's equations: `3.` in chapter 3."""
        path = self._chapter_of(page.file.src_uri)
        numbers = [number for number, one in enumerate(self.chapters, 1) if one.path == path]
        return f"{numbers[0]}." if numbers else ""

    def _chapter_of(self, path: str) -> str:
        """Return the chapter of a tutorial's page, and any other page itself."""
        if not path.endswith(".py"):
            return path
        name = posixpath.splitext(posixpath.basename(path))[0]
        return next((c.path for c in self._place.chapters if c.name == name), path)

    def _sources(self, bibliography: Path, texts: list[str]) -> None:
        self.citations.use(bibliography)
        if not bibliography.is_file():
            return
        if unused := self.citations.sources.unused(texts):
            raise SourceError(
                f"{bibliography.name}: nothing cites {', '.join(map(repr, unused))}. Cite each "
                "source where it is used, such as [@key], or remove it."
            )


def _text(file: File) -> str | None:
    """Return the Markdown of a page; None for another file, or one that cannot be decoded."""
    if not file.src_uri.endswith(".md"):
        return None
    try:
        return file.content_string
    except UnicodeDecodeError:
        return None  # on_page_read_source says so, with the line
