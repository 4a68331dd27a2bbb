"""Decompress how a compressed entry begins, which says what it is: LZ4 blocks, zlib streams and Zstandard frames.

A few bytes are wanted of entries of megabytes, and CPython has neither LZ4 nor, before 3.14, Zstandard. So this
decodes no further than it has to: in a Zstandard frame the first block, and of that the first literals.

Sources: "LZ4 Block Format Description" of the LZ4 project, RFC 1950, RFC 8878.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

__all__ = ["decode_lz4_prefix", "decode_zlib_prefix", "decode_zstd_prefix"]

_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_COMPRESSED_BLOCK = 2
# RFC 8878: 3.1.1.3.2.1.1, the code of a length is its base and how many more bits there are.
_LITERAL_LENGTHS = [
    *((number, 0) for number in range(16)),
    *((16, 1), (18, 1), (20, 1), (22, 1), (24, 2), (28, 2), (32, 3), (40, 3), (48, 4), (64, 6)),
    *((1 << bits, bits) for bits in range(7, 17)),
]
_MATCH_LENGTHS = [
    *((number + 3, 0) for number in range(32)),
    *((35, 1), (37, 1), (39, 1), (41, 1), (43, 2), (47, 2), (51, 3), (59, 3), (67, 4), (83, 4), (99, 5)),
    *((3 + (1 << bits), bits) for bits in range(7, 17)),
]
# RFC 8878: 3.1.1.3.2.2, the distributions without a table of their own, and how exact they are.
_DEFAULTS = {
    "literals": (
        [
            4,
            3,
            2,
            2,
            2,
            2,
            2,
            2,
            2,
            2,
            2,
            2,
            2,
            1,
            1,
            1,
            2,
            2,
            2,
            2,
            2,
            2,
            2,
            2,
            2,
            3,
            2,
            1,
            1,
            1,
            1,
            1,
            -1,
            -1,
            -1,
            -1,
        ],
        6,
    ),
    "matches": ([1, 4, 3, 2, 2, 2, 2, 2, 2, *[1] * 37, *[-1] * 7], 6),
    "offsets": ([1, 1, 1, 1, 1, 1, 2, 2, 2, *[1] * 15, *[-1] * 5], 5),
}
_MOST_EXACT = {"literals": 9, "matches": 9, "offsets": 8, "weights": 6}
_LONGEST_CODE = 11


def decode_zlib_prefix(data: bytes, wanted: int) -> bytes:
    """Return how a zlib stream begins, at most some bytes of it.

    Raises:
        ValueError: It is not one.

    """
    try:
        return zlib.decompressobj().decompress(data, wanted)
    except zlib.error:
        raise ValueError(data[:4]) from None


def decode_lz4_prefix(data: bytes, wanted: int) -> bytes:
    """Return how an LZ4 block begins, at most some bytes of it; also of a block that is cut off behind them.

    Raises:
        ValueError, IndexError: It is not one.

    """
    output = bytearray()
    position = 0
    while position < len(data) and len(output) < wanted:
        token = data[position]
        length, position = _read_lz4_length(data, position + 1, token >> 4)
        output += data[position : position + min(length, wanted)]
        position += length
        if position >= len(data) or len(output) >= wanted:
            break
        distance = data[position] | data[position + 1] << 8
        length, position = _read_lz4_length(data, position + 2, token & 15)
        _copy(output, distance, min(length + 4, wanted))
    return bytes(output[:wanted])


def _read_lz4_length(data: bytes, position: int, nibble: int) -> tuple[int, int]:
    """Return a length, and where what follows it begins."""
    length = nibble
    while nibble == 15:
        length += data[position]
        position += 1
        if data[position - 1] != 255:
            break
    return length, position


def _copy(output: bytearray, distance: int, length: int) -> None:
    """Append what lies some bytes before the end, which may reach into what is being appended."""
    if not 0 < distance <= len(output):
        raise ValueError(distance)
    piece = bytes(output[-distance:][:length])
    output += (piece * (length // len(piece) + 1))[:length]


def decode_zstd_prefix(data: bytes, wanted: int) -> bytes:
    """Return how a Zstandard frame begins, at most some bytes of its first block.

    Raises:
        ValueError, IndexError: It is not one, or needs a dictionary.

    """
    if data[:4] != _ZSTD_MAGIC:
        raise ValueError(data[:4])
    descriptor = data[4]
    is_single = descriptor >> 5 & 1
    if descriptor & 3:
        raise ValueError("a dictionary")
    start = 5 + (not is_single) + (is_single, 2, 4, 8)[descriptor >> 6]
    header = int.from_bytes(data[start : start + 3], "little")
    kind, size = header >> 1 & 3, header >> 3
    block = data[start + 3 :]
    if kind == _COMPRESSED_BLOCK:
        return _decode_block(block[:size], wanted)
    return block[: min(size, wanted)] if kind == 0 else block[:1] * min(size, wanted)


def _decode_block(block: bytes, wanted: int) -> bytes:
    literals, position = _read_literals(block, wanted)
    count, modes, position = _read_sequence_header(block, position)
    if not count:
        return literals[:wanted]
    tables = {}
    for name, shift in (("literals", 6), ("offsets", 4), ("matches", 2)):
        tables[name], position = _read_table(block, position, name, modes >> shift & 3)
    return _run_sequences(_BitsFromEnd(block[position:]), count, tables, literals, wanted)


def _read_sequence_header(block: bytes, position: int) -> tuple[int, int, int]:
    """Return how many sequences there are, how their tables are stored, and where these begin."""
    first = block[position]
    if first == 0:
        return 0, 0, position + 1
    if first < 128:
        return first, block[position + 1], position + 2
    if first < 255:
        return (first - 128 << 8) + block[position + 1], block[position + 2], position + 3
    return block[position + 1] + (block[position + 2] << 8) + 0x7F00, block[position + 3], position + 4


class _BitsFromEnd:
    """Bits that are read from the end of some bytes to their start; the highest bit that is set marks the end."""

    def __init__(self, data: bytes) -> None:
        if not data or not data[-1]:
            raise ValueError(data)
        self._number = int.from_bytes(data, "little")
        self.left = self._number.bit_length() - 1

    def read(self, count: int) -> int:
        """Return the next bits; behind the start there are zeros, as the format wants it."""
        self.left -= count
        number = self._number >> self.left if self.left >= 0 else self._number << -self.left
        return number & (1 << count) - 1


class _Cell(NamedTuple):
    """What a state of a table stands for: a symbol, and how the next state is found."""

    symbol: int
    bits: int
    base: int


class _State:
    """A place in a table of finite state entropy."""

    def __init__(self, table: list[_Cell], bits: _BitsFromEnd) -> None:
        self._table = table
        self._bits = bits
        self._cell = table[bits.read(len(table).bit_length() - 1)]

    @property
    def symbol(self) -> int:
        return self._cell.symbol

    def advance(self) -> None:
        self._cell = self._table[self._cell.base + self._bits.read(self._cell.bits)]


def _run_sequences(
    bits: _BitsFromEnd, count: int, tables: dict[str, list[_Cell]], literals: bytes, wanted: int
) -> bytes:
    lengths, offsets, matches = (_State(tables[name], bits) for name in ("literals", "offsets", "matches"))
    output = bytearray()
    position = 0
    recent = [1, 4, 8]
    for _ in range(count):
        distance_code = offsets.symbol
        if distance_code > 31:
            raise ValueError(distance_code)
        number = (1 << distance_code) + bits.read(distance_code)
        base, more = _MATCH_LENGTHS[matches.symbol]
        match = base + bits.read(more)
        base, more = _LITERAL_LENGTHS[lengths.symbol]
        length = base + bits.read(more)
        output += literals[position : position + length]
        position += length
        if len(output) >= wanted:
            return bytes(output[:wanted])
        _copy(output, _read_distance(number, recent, after_literals=length > 0), min(match, wanted))
        if bits.left < 0:
            break
        for state in (lengths, matches, offsets):
            state.advance()
    return bytes((output + literals[position:])[:wanted])


def _read_distance(number: int, recent: list[int], *, after_literals: bool) -> int:
    """Return a distance, which is written as one of the last three, or as itself and three more."""
    if number > 3:
        recent[:] = [number - 3, recent[0], recent[1]]
        return recent[0]
    place = number - 1 if after_literals else number
    distance = recent[place] if place < 3 else recent[0] - 1
    recent[:] = [distance, *(recent[:place] + recent[place + 1 :])][:3]
    return distance


def _read_table(block: bytes, position: int, name: str, mode: int) -> tuple[list[_Cell], int]:
    """Return the table of a kind of code, and where what follows it begins."""
    if mode == 0:
        counts, exact = _DEFAULTS[name]
        return _build_table(counts, exact), position
    if mode == 1:
        return [_Cell(block[position], 0, 0)], position + 1
    if mode == 2:
        return _parse_table(block, position, _MOST_EXACT[name])
    raise ValueError("the table of the block before the first")


def _parse_table(data: bytes, position: int, most_exact: int) -> tuple[list[_Cell], int]:
    """Read a distribution (RFC 8878: 4.1.1), and return its table and where what follows it begins."""
    bits = int.from_bytes(data[position : position + 512], "little")
    exact = (bits & 15) + 5
    if exact > most_exact:
        raise ValueError(exact)
    used, remaining = 4, (1 << exact) + 1
    counts: list[int] = []
    while remaining > 1 and len(counts) < 256:
        width = remaining.bit_length()
        # Small values are written with a bit less.
        small = (1 << width) - 1 - remaining
        value = bits >> used & (1 << width - 1) - 1
        if value < small:
            used += width - 1
        else:
            value = bits >> used & (1 << width) - 1
            value -= small if value >= 1 << width - 1 else 0
            used += width
        counts.append(value - 1)
        remaining -= abs(value - 1)
        while value == 1 and len(counts) < 256:
            value = 1 if bits >> used & 3 == 3 else 0
            counts += [0] * (bits >> used & 3)
            used += 2
    if remaining != 1 or position + (used + 7) // 8 > len(data):
        raise ValueError(remaining)
    return _build_table(counts, exact), position + (used + 7) // 8


def _build_table(counts: list[int], exact: int) -> list[_Cell]:
    """Spread symbols over a table of states (RFC 8878: 4.1.1); -1 stands for less than one state."""
    size = 1 << exact
    symbols = [0] * size
    high = size
    for symbol, count in enumerate(counts):
        if count < 0:
            high -= 1
            symbols[high] = symbol
    step, place = (size >> 1) + (size >> 3) + 3, 0
    for symbol, count in enumerate(counts):
        for _ in range(count):
            symbols[place] = symbol
            place = place + step & size - 1
            while place >= high:
                place = place + step & size - 1
    following = [abs(count) for count in counts]
    table = []
    for symbol in symbols:
        number = following[symbol]
        following[symbol] += 1
        bits = exact + 1 - number.bit_length()
        table.append(_Cell(symbol, bits, (number << bits) - size))
    return table


def _read_literals(block: bytes, wanted: int) -> tuple[bytes, int]:
    """Return the first literals of a block, and where its sequences begin (RFC 8878: 3.1.1.3.1)."""
    kind, form = block[0] & 3, block[0] >> 2 & 3
    if kind < 2:
        header = (1, 2, 1, 3)[form]
        size = int.from_bytes(block[:header], "little") >> (3 if header == 1 else 4)
        if kind == 1:
            return block[header : header + 1] * min(size, wanted), header + 1
        return block[header : header + min(size, wanted)], header + size
    if kind == 3:
        raise ValueError("the tree of the block before the first")
    header, width = ((3, 10), (3, 10), (4, 14), (5, 18))[form]
    number = int.from_bytes(block[:header], "little") >> 4
    size, stored = number & (1 << width) - 1, number >> width
    tree, position = _read_tree(block, header)
    end = header + stored
    if not form:
        return _decode_literals(tree, block[position:end], min(size, wanted)), end
    # Four streams of equal length: how many bytes three of them take, and then these.
    literals, each = b"", (size + 3) // 4
    start = position + 6
    for number in range(4):
        at = position + 2 * number
        stop = start + int.from_bytes(block[at : at + 2], "little") if number < 3 else end
        count = min(each, size - number * each, wanted - len(literals))
        if count > 0:
            literals += _decode_literals(tree, block[start:stop], count)
        start = stop
    return literals, end


def _read_tree(block: bytes, position: int) -> tuple[list[tuple[int, int]], int]:
    """Return the symbol and the length for each code of the longest length, and where what follows begins."""
    head = block[position]
    position += 1
    if head < 128:
        weights = _read_weights(block[position : position + head])
        position += head
    else:
        count = head - 127
        pairs = block[position : position + (count + 1) // 2]
        weights = [nibble for pair in pairs for nibble in (pair >> 4, pair & 15)][:count]
        position += (count + 1) // 2
    total = sum(1 << weight >> 1 for weight in weights)
    longest = total.bit_length()
    rest = (1 << longest) - total
    if not total or longest > _LONGEST_CODE or rest & rest - 1:
        raise ValueError(total)
    weights.append(rest.bit_length())
    codes: list[tuple[int, int]] = []
    for weight in range(1, longest + 1):
        for symbol, found in enumerate(weights):
            if found == weight:
                codes += [(symbol, longest + 1 - weight)] * (1 << weight - 1)
    return codes, position


def _read_weights(data: bytes) -> list[int]:
    """Read the weights of a tree, which two states take turns to give (RFC 8878: 4.2.1.2)."""
    table, position = _parse_table(data, 0, _MOST_EXACT["weights"])
    bits = _BitsFromEnd(data[position:])
    states = [_State(table, bits), _State(table, bits)]
    weights: list[int] = []
    while len(weights) < 255:
        weights.append(states[0].symbol)
        states[0].advance()
        states.reverse()
        if bits.left < 0:
            weights.append(states[0].symbol)
            return weights
    raise ValueError(len(weights))


def _decode_literals(codes: list[tuple[int, int]], stream: bytes, count: int) -> bytes:
    bits = _BitsFromEnd(stream)
    longest = len(codes).bit_length() - 1
    output = bytearray()
    for _ in range(count):
        symbol, length = codes[bits.read(longest)]
        bits.left += longest - length
        output.append(symbol)
    return bytes(output)
