"""Codes as text: alphabets without look-alikes, patterns, check symbol, normal form, and how many there can be."""

import re
import secrets
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from retention.refusals import Refused

#: Crockford's alphabet: no I, L, O or U, so that nothing is read as 1 or 0 and no rude words appear.
LETTERS_AND_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: Sixteen letters that nobody mixes up, read aloud or printed small.
LETTERS = "ACDEFGHJKMNPRTWX"
DIGITS = "23456789"
CHARSETS = {"letters_and_digits": LETTERS_AND_DIGITS, "letters": LETTERS, "digits": DIGITS}

#: A guess may hit one of the codes that are out once in so many tries, at the most.
GUESSES_PER_HIT = 1_000_000
_NORMAL = re.compile(r"[A-Z0-9_]{3,60}")
_LOOK_ALIKES = str.maketrans("ILO", "110")


class CodeSpaceTooSmall(Refused):
    code = "incentives.code_space_too_small"
    sentence = _(
        "This pattern allows only %(possible)s codes. For %(wanted)s of them to be safe from guessing it needs"
        " at least %(symbols)s random symbols."
    )


class NotACode(Refused):
    code = "incentives.not_a_code"
    sentence = _("A code has 3 to 60 letters A–Z, digits and underscores.")
    status = 422


def normal(text: str) -> str:
    """A code as it is kept: upper case, without spaces and dashes."""
    return re.sub(r"[\s\-\u2010-\u2015]+", "", text).upper()


def readings(text: str) -> list[str]:
    """What a typed text may mean: itself, then with O, I and L read as 0 and 1, as in codes made here."""
    itself = normal(text)
    if not _NORMAL.fullmatch(itself):
        return []
    read = itself.translate(_LOOK_ALIKES)
    return [itself] if read == itself else [itself, read]


def check_normal(text: str) -> str:
    """The normal form of a code that someone chose.

    Raises:
        NotACode: it has other symbols than codes may have, or too few or too many.
    """
    if not _NORMAL.fullmatch(itself := normal(text)):
        raise NotACode
    return itself


@dataclass(frozen=True)
class Pattern:
    """How unique codes look: `#` is a random symbol, everything else stands as it is; a check symbol ends the code.

    The check symbol is Luhn's over the charset: one mistyped symbol, and nearly every pair that changed places, is
    noticed before anybody looks for the code.
    """

    text: str
    charset: str = "letters_and_digits"

    @property
    def alphabet(self) -> str:
        return CHARSETS[self.charset]

    @property
    def random_symbols(self) -> int:
        return self.text.count("#")

    @property
    def possible(self) -> int:
        return len(self.alphabet) ** self.random_symbols

    @property
    def fixed(self) -> str:
        """The text in normal form, still with its `#`."""
        return normal(self.text)

    def check_space(self, count: int) -> None:
        """Refuse to have `count` codes of this pattern out if guessing one would be too easy.

        Raises:
            CodeSpaceTooSmall: fewer than a million possible codes for each.
        """
        needed = count * GUESSES_PER_HIT
        if self.possible < needed:
            bits = (len(self.alphabet) - 1).bit_length()
            symbols = -(-(needed - 1).bit_length() // bits)
            raise CodeSpaceTooSmall(possible=self.possible, wanted=count, symbols=symbols)

    def make(self, count: int) -> list[str]:
        """`count` random codes in normal form; nothing guards here against meeting an old one."""
        block = self.make_block(count)
        width = len(self.fixed) + 2
        return [block[at : at + width - 1] for at in range(0, len(block), width)]

    def make_block(self, count: int) -> str:
        """The same as lines of one text, as COPY reads them.

        Symbols are made column by column: a column of a million codes is one slice, and adding columns for the check
        symbol is adding two long integers. A loop over codes would take longer than the database does.
        """
        size = len(self.alphabet)
        width = len(self.fixed) + 2
        block = bytearray(count * width)
        checks = bytes(count)
        position = self.random_symbols
        for at, symbol in enumerate(self.fixed):
            if symbol != "#":
                block[at::width] = symbol.encode() * count
                continue
            column = secrets.token_bytes(count).translate(_modulo(size))
            block[at::width] = column.translate(_symbols(self.alphabet))
            checks = _add(checks, column.translate(_doubled(size)) if position % 2 else column, size)
            position -= 1
        block[width - 2 :: width] = checks.translate(_complement(size)).translate(_symbols(self.alphabet))
        block[width - 1 :: width] = b"\n" * count
        return block.decode("ascii")

    def fits(self, code: str) -> bool:
        """Whether a normal code could have been made by this pattern: its fixed symbols and its check are right."""
        fixed = self.fixed
        if len(code) != len(fixed) + 1:
            return False
        pairs = list(zip(fixed, code[:-1], strict=True))
        if any(symbol not in ("#", typed) for symbol, typed in pairs):
            return False
        typed = [self.alphabet.find(symbol) for place, symbol in pairs if place == "#"]
        typed.append(self.alphabet.find(code[-1]))
        if -1 in typed:
            return False
        size = len(self.alphabet)
        doubled = _doubled(size)
        # Luhn: from the right, every second symbol is doubled; the whole must be a multiple of the size.
        return sum(doubled[v] if i % 2 else v for i, v in enumerate(reversed(typed))) % size == 0


def _modulo(size: int) -> bytes:
    return bytes(byte % size for byte in range(256))


def _symbols(alphabet: str) -> bytes:
    return bytes(ord(alphabet[byte % len(alphabet)]) for byte in range(256))


def _doubled(size: int) -> bytes:
    """Luhn's doubling with its digits added: a permutation of 0 … size − 1 as `size` is even."""
    return bytes(2 * (byte % size) // size + 2 * (byte % size) % size for byte in range(256))


def _complement(size: int) -> bytes:
    return bytes(-byte % size for byte in range(256))


def _add(one: bytes, other: bytes, size: int) -> bytes:
    """Two columns added symbol by symbol, modulo `size`: no sum passes 255, so long integers never carry over."""
    total = int.from_bytes(one, "big") + int.from_bytes(other, "big")
    return total.to_bytes(len(one), "big").translate(_modulo(size))
