"""Token counts of texts and media, and sums of them by modality.

Owns: how many tokens the simulator says a text or a file has, and the adding up. Not here: laws of usage. Invariant: a
count depends on the content alone. The counts are plausible, not those of Google's tokenizer; digits are single
tokens (wire.md 7).
"""

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"\d|[^\W\d]{1,8}|[^\w\s]|\n+")

# Tokens of one file by the start of its MIME type: an image of one tile, ten seconds of sound or film, one page
# (wire.md 7). Sizes are not looked at.
_MEDIA = (
    ("image/", "image", 258),
    ("audio/", "audio", 320),
    ("video/", "video", 2630),
    ("application/", "document", 258),
)


@dataclass(frozen=True, slots=True)
class TokenTally:
    """Tokens by modality."""

    text: int = 0
    image: int = 0
    audio: int = 0
    video: int = 0
    document: int = 0

    @property
    def total(self) -> int:
        """Tokens of all modalities."""
        return self.text + self.image + self.audio + self.video + self.document

    def __add__(self, other: "TokenTally") -> "TokenTally":
        return TokenTally(
            self.text + other.text,
            self.image + other.image,
            self.audio + other.audio,
            self.video + other.video,
            self.document + other.document,
        )

    def details(self) -> list[dict[str, str | int]]:
        """The `...TokensDetails` list of the wire; modalities without tokens are left out."""
        amounts = (
            ("TEXT", self.text),
            ("IMAGE", self.image),
            ("AUDIO", self.audio),
            ("VIDEO", self.video),
            ("DOCUMENT", self.document),
        )
        return [{"modality": name, "tokenCount": amount} for name, amount in amounts if amount]


NOTHING = TokenTally()


def count(text: str) -> int:
    """Tokens of a text; 0 for an empty one."""
    return len(_TOKEN.findall(text))


def count_media(mime_type: str) -> TokenTally:
    """Tokens of one file of this MIME type; an unknown type counts as a text of the size of an image."""
    for start, modality, amount in _MEDIA:
        if mime_type.startswith(start):
            return TokenTally(**{modality: amount})
    return TokenTally(text=258)
