"""Run the compiled loops: bounded searches, nearest facility, joining places to streets, the lattice.

Costs are integers (milliseconds or millimetres) and fit 32 bits, so a cost and a node share one 64-bit word: ``cost << 32 |
node`` for arcs, ``stamp << 32 | cost`` for what a search knows of a node. A stamp that falls with every search makes the word
of a new search smaller than any word of an older one, so that one comparison tells whether a node is new or cheaper, and
nothing is cleared between searches. The queue is an array of buckets (Dial 1969; Denardo and Fox 1979) over a pool laid out
beforehand; within a bucket labels are corrected, so buckets may be wider than the cheapest arc. Threads run these loops
without the interpreter's lock.
"""

from __future__ import annotations

import numpy as np
from numba import njit, uint64

LOW = np.uint64(0xFFFFFFFF)
SHIFT = np.uint64(32)
ONE = np.uint64(1)
ZERO = np.uint64(0)
POOL_FULL = np.uint64(0xFFFFFFFFFFFFFFFF)
"""Returned by a search whose pool was too small; its queue is left clean."""


@njit(cache=True, nogil=True, inline="always")
def _drain(head, used):
    """Empty every bucket, so that the next search starts clean."""
    for bucket in range(used + 1):
        head[bucket] = 0


@njit(cache=True, nogil=True)
def search(ptr, arc, seed_node, seed_cost, first, last, limit, known, high, shift, head, entry, link, found):
    """Find every node within `limit` of the seeds ``first:last``; write the nodes to `found`, their costs to `known`.

    Returns the number of nodes found, or `POOL_FULL`.
    """
    one, low, half = uint64(1), uint64(0xFFFFFFFF), uint64(32)
    fresh = high + (one << half)
    free, top, count, bucket, last_bucket = uint64(0), uint64(1), uint64(0), uint64(0), uint64(0)
    room = uint64(len(entry))
    for seed in range(first, last):
        cost = uint64(seed_cost[seed])
        if cost > limit:
            continue
        node = uint64(seed_node[seed])
        old = known[node]
        if (high | cost) < old:
            known[node] = high | cost
            if old >= fresh:
                found[count] = node
                count += one
            if top >= room:
                _drain(head, last_bucket)
                return POOL_FULL
            into = cost >> shift
            entry[top] = (cost << half) | node
            link[top] = head[into]
            head[into] = top
            top += one
            if into > last_bucket:
                last_bucket = into
    while bucket <= last_bucket:
        slot = uint64(head[bucket])
        while slot != 0:
            word = entry[slot]
            node = word & low
            cost = word >> half
            head[bucket] = link[slot]
            link[slot] = free
            free = slot
            if (known[node] & low) == cost:
                at = uint64(ptr[node])
                end = uint64(ptr[node + one])
                while at < end:
                    step = arc[at]
                    at += one
                    further = cost + (step >> half)
                    if further <= limit:
                        target = step & low
                        key = high | further
                        old = known[target]
                        if key < old:
                            known[target] = key
                            if old >= fresh:
                                found[count] = target
                                count += one
                            if free != 0:
                                slot = free
                                free = uint64(link[slot])
                            else:
                                slot = top
                                if slot >= room:
                                    _drain(head, last_bucket)
                                    return POOL_FULL
                                top += one
                            into = further >> shift
                            entry[slot] = (further << half) | target
                            link[slot] = head[into]
                            head[into] = slot
                            if into > last_bucket:
                                last_bucket = into
            slot = uint64(head[bucket])
        bucket += one
    return count


@njit(cache=True, nogil=True)
def _room_for(array, used, more):
    """Give an array with room for `more` further items, what is in it kept."""
    if used + more <= len(array):
        return array
    larger = np.empty(max(2 * len(array), used + more), array.dtype)
    for i in range(used):  # a loop compiles in a fraction of the time of a slice assignment
        larger[i] = array[i]
    return larger


@njit(cache=True, nogil=True)
def reach_nodes(
    ptr, arc, seed_ptr, seed_node, seed_cost, limit, known, stamp, shift, head, entry, link, found, nodes, costs
):  # fmt: skip
    """Search from each source in turn: CSR of source × node within `limit`, the pairs written to `nodes` and `costs`.

    Returns the row starts, and what was written of both. A first row start of −1 says that the pool was full, −2 that `nodes`
    was.
    """
    sources = len(seed_ptr) - 1
    indptr = np.zeros(sources + 1, np.int64)
    used = 0
    for source in range(sources):
        high = (uint64(0xFFFFFFFF) - uint64(stamp + source + 1)) << uint64(32)
        count = search(
            ptr,
            arc,
            seed_node,
            seed_cost,
            seed_ptr[source],
            seed_ptr[source + 1],
            limit,
            known,
            high,
            shift,
            head,
            entry,
            link,
            found,
        )
        if count == POOL_FULL:
            indptr[0] = -1
            return indptr, nodes[:0], costs[:0]
        n = int(count)
        if used + n > len(nodes):
            indptr[0] = -2
            return indptr, nodes[:0], costs[:0]
        for i in range(n):
            node = found[i]
            nodes[used + i] = node
            costs[used + i] = known[node] & uint64(0xFFFFFFFF)
        used += n
        indptr[source + 1] = used
    return indptr, nodes[:used], costs[:used]


@njit(cache=True, nogil=True)
def _sort(values, count):
    """Sort the first `count` values in place, ascending (Shell 1959, gaps of Ciura 2001): quick for rows, quick to compile."""
    for gap in (57_704, 25_646, 11_398, 5_066, 2_252, 1_001, 444, 197, 88, 39, 17, 7, 3, 1):
        for i in range(gap, count):
            value = values[i]
            at = i
            while at >= gap and values[at - gap] > value:
                values[at] = values[at - gap]
                at -= gap
            values[at] = value


@njit(cache=True, nogil=True, inline="always")
def _offer(place, cost, limit, high, fresh, best, touched, count):
    """Keep `cost` for `place` if it is within the limit and the cheapest yet."""
    if cost <= limit:
        old = best[place]
        if (high | cost) < old:
            best[place] = high | cost
            if old >= fresh:
                touched[count] = place
                count += uint64(1)
    return count


@njit(cache=True, nogil=True)
def along_edge(towards, forward, backward, from_f, from_b, to_f, to_b):
    """Cost between two positions on one edge without leaving it; all ones where no direction allows it.

    `from_f`, `from_b` are the facility's offsets, `to_f`, `to_b` the cell's: cost from the edge's start on to the position,
    and from the position back to the start. Travel goes from the cell to the facility if `towards`, else the other way.
    """
    cost = uint64(0xFFFFFFFF)
    a_f, a_b, z_f, z_b = from_f, from_b, to_f, to_b
    if towards:
        a_f, a_b, z_f, z_b = to_f, to_b, from_f, from_b
    if forward and z_f >= a_f and uint64(z_f - a_f) < cost:
        cost = uint64(z_f - a_f)
    if backward and a_b >= z_b and uint64(a_b - z_b) < cost:
        cost = uint64(a_b - z_b)
    return cost


@njit(cache=True, nogil=True)
def reach_places(
    ptr, arc, seed_ptr, seed_node, seed_cost, limit, known, stamp, shift, head, entry, link, found, places, costs,
    place_ptr, place_arc, best, touched,
    option_ptr, option_edge, option_f, option_b, option_leg, towards, forward, backward,
    on_ptr, on_option, place_of, place_f, place_b, place_leg,
):  # fmt: skip
    """Search from each source in turn: CSR of source × place within `limit`; see `reach_nodes`.

    ``place_ptr, place_arc`` are arcs from nodes to places; ``option_*`` where the sources join edges; ``on_*`` the places on
    each edge.
    """
    sources = len(seed_ptr) - 1
    low, half = uint64(0xFFFFFFFF), uint64(32)
    indptr = np.zeros(sources + 1, np.int64)
    used = 0
    for source in range(sources):
        high = (low - uint64(stamp + source + 1)) << half
        fresh = high + (uint64(1) << half)
        nodes = search(
            ptr,
            arc,
            seed_node,
            seed_cost,
            seed_ptr[source],
            seed_ptr[source + 1],
            limit,
            known,
            high,
            shift,
            head,
            entry,
            link,
            found,
        )
        if nodes == POOL_FULL:
            indptr[0] = -1
            return indptr, places[:0], costs[:0]
        count = uint64(0)
        for i in range(np.int64(nodes)):
            node = uint64(found[i])
            cost = known[node] & low
            at, end = uint64(place_ptr[node]), uint64(place_ptr[node + uint64(1)])
            while at < end:
                step = place_arc[at]
                at += uint64(1)
                count = _offer(step & low, cost + (step >> half), limit, high, fresh, best, touched, count)
        for option in range(option_ptr[source], option_ptr[source + 1]):
            edge = option_edge[option]
            for at in range(on_ptr[edge], on_ptr[edge + 1]):
                other = on_option[at]
                cost = along_edge(
                    towards, forward[edge], backward[edge], option_f[option], option_b[option], place_f[other], place_b[other]
                )
                if cost < low:
                    cost += uint64(option_leg[option]) + uint64(place_leg[other])
                    count = _offer(uint64(place_of[other]), cost, limit, high, fresh, best, touched, count)
        n = int(count)
        if used + n > len(places):
            indptr[0] = -2
            return indptr, places[:0], costs[:0]
        _sort(touched, n)
        for i in range(n):
            place = touched[i]
            places[used + i] = place
            costs[used + i] = best[place] & low
        used += n
        indptr[source + 1] = used
    return indptr, places[:used], costs[:used]


@njit(cache=True, nogil=True)
def nearest_nodes(ptr, arc, seed_node, seed_cost, seed_owner, shift, mask, label):
    """Find the nearest source of every node, however far: ``label[node] = cost << 32 | source``, all ones where there is none.

    Among equal costs the lowest source wins. `mask` + 1 buckets (a power of two) turn in a ring that spans the dearest arc
    and seed.
    """
    one, low, half = uint64(1), uint64(0xFFFFFFFF), uint64(32)
    for node in range(len(label)):
        label[node] = uint64(0xFFFFFFFFFFFFFFFF)
    head = np.zeros(mask + 1, np.uint32)
    entry = np.empty(max(4096, 2 * len(seed_node) + len(label)), np.uint64)
    link = np.empty(len(entry), np.uint32)
    free, top, live = uint64(0), uint64(1), 0
    for seed in range(len(seed_node)):
        node = uint64(seed_node[seed])
        word = (uint64(seed_cost[seed]) << half) | uint64(seed_owner[seed])
        if word < label[node]:
            label[node] = word
            into = (uint64(seed_cost[seed]) >> shift) & uint64(mask)
            entry[top] = (uint64(seed_cost[seed]) << half) | node
            link[top] = head[into]
            head[into] = top
            top += one
            live += 1
    bucket = uint64(0)
    while live > 0:
        here = bucket & uint64(mask)
        slot = uint64(head[here])
        while slot != 0:
            node = entry[slot] & low
            cost = entry[slot] >> half
            head[here] = link[slot]
            link[slot] = free
            free = slot
            live -= 1
            if (label[node] >> half) == cost:
                owner = label[node] & low
                at, end = uint64(ptr[node]), uint64(ptr[node + one])
                while at < end:
                    step = arc[at]
                    at += one
                    target = step & low
                    further = cost + (step >> half)
                    word = (further << half) | owner
                    if word < label[target]:
                        label[target] = word
                        if free != 0:
                            slot = free
                            free = uint64(link[slot])
                        else:
                            slot = top
                            top += one
                            if slot >= uint64(len(entry)):
                                entry = _room_for(entry, np.int64(slot), 1)
                                link = _room_for(link, np.int64(slot), len(entry) - np.int64(slot))
                        into = (further >> shift) & uint64(mask)
                        entry[slot] = (further << half) | target
                        link[slot] = head[into]
                        head[into] = slot
                        live += 1
            slot = uint64(head[here])
        bucket += one


@njit(cache=True, nogil=True)
def nearest_places(
    label, option_edge, option_f, option_b, option_leg, option_owner, towards, forward, backward, edge_u, edge_v, edge_f, edge_b,
    on_ptr, on_option, place_of, place_edge, place_f, place_b, place_leg, best,
):  # fmt: skip
    """Carry node labels over to places: ``best[place] = cost << 32 | source``, by either end of the edge or along it."""
    low, half = uint64(0xFFFFFFFF), uint64(32)
    for other in range(len(place_of)):
        edge = place_edge[other]
        place = place_of[other]
        leg = uint64(place_leg[other])
        by_u, by_v = leg + uint64(place_b[other]), leg + uint64(edge_f[edge] - place_f[other])
        open_u = backward[edge] or place_b[other] == 0
        open_v = forward[edge] or place_f[other] == edge_f[edge]
        if not towards:
            by_u, by_v = leg + uint64(place_f[other]), leg + uint64(edge_b[edge] - place_b[other])
            open_u = forward[edge] or place_f[other] == 0
            open_v = backward[edge] or place_b[other] == edge_b[edge]
        u, v = label[edge_u[edge]], label[edge_v[edge]]
        if open_u and u != uint64(0xFFFFFFFFFFFFFFFF):
            best[place] = min(best[place], u + (by_u << half))
        if open_v and v != uint64(0xFFFFFFFFFFFFFFFF):
            best[place] = min(best[place], v + (by_v << half))
    for option in range(len(option_edge)):
        edge = option_edge[option]
        for at in range(on_ptr[edge], on_ptr[edge + 1]):
            other = on_option[at]
            cost = along_edge(
                towards, forward[edge], backward[edge], option_f[option], option_b[option], place_f[other], place_b[other]
            )
            if cost < low:
                cost += uint64(option_leg[option]) + uint64(place_leg[other])
                place = place_of[other]
                best[place] = min(best[place], (cost << half) | uint64(option_owner[option]))


@njit(cache=True, nogil=True, inline="always")
def foot_point(px, py, ax, ay, bx, by):
    """Share of the way from a to b at which p is nearest, and the squared distance there."""
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    share = ((px - ax) * dx + (py - ay) * dy) / square if square > 0.0 else 0.0
    share = min(1.0, max(0.0, share))
    ex, ey = px - ax - share * dx, py - ay - share * dy
    return share, ex * ex + ey * ey


@njit(cache=True, nogil=True)
def bin_pieces(which, x, y, start, x0, y0, size, columns, rows):
    """Sort the street pieces `which` into square bins by their bounding boxes: CSR of bin × piece, pieces ascending.

    Piece i runs from vertex ``start[i]`` to the next one.
    """
    counts = np.zeros(rows * columns + 1, np.int64)
    for fill in range(2):
        if fill == 1:
            for b in range(rows * columns):
                counts[b + 1] += counts[b]
            pieces = np.empty(counts[rows * columns], np.int32)
            ptr = counts.copy()
        for i in which:
            a, b = start[i], start[i] + 1
            c0, c1 = int((min(x[a], x[b]) - x0) / size), int((max(x[a], x[b]) - x0) / size)
            r0, r1 = int((min(y[a], y[b]) - y0) / size), int((max(y[a], y[b]) - y0) / size)
            for r in range(r0, r1 + 1):
                for c in range(c0, c1 + 1):
                    if fill == 0:
                        counts[r * columns + c + 1] += 1
                    else:
                        pieces[counts[r * columns + c]] = i
                        counts[r * columns + c] += 1
    return ptr, pieces


@njit(cache=True, nogil=True)
def nearest_pieces(px, py, snap, wanted, x, y, start, edge, bin_ptr, bin_piece, x0, y0, size, columns, rows):
    """Find for each point the pieces of the `wanted` nearest distinct edges within `snap`, nearest first.

    Returns pieces (points, wanted) with −1 for none, the share along the piece, and the distance. Of equally near pieces the
    first counts.
    """
    points = len(px)
    piece = np.full((points, wanted), -1, np.int32)
    share = np.zeros((points, wanted))
    square = np.full((points, wanted), np.inf)
    rings = int(snap / size) + 1
    west, east, south, north = x0 - snap, x0 + columns * size + snap, y0 - snap, y0 + rows * size + snap
    for p in range(points):
        if not (west <= px[p] <= east and south <= py[p] <= north):  # also what is no number
            continue
        c, r = int(np.floor((px[p] - x0) / size)), int(np.floor((py[p] - y0) / size))
        for ring in range(rings + 1):
            if square[p, wanted - 1] < ((ring - 1) * size) ** 2 and ring > 1:
                break
            for row in range(max(0, r - ring), min(rows - 1, r + ring) + 1):
                inner = row != r - ring and row != r + ring
                column = c - ring
                while column <= c + ring:
                    if 0 <= column < columns:
                        for at in range(bin_ptr[row * columns + column], bin_ptr[row * columns + column + 1]):
                            i = bin_piece[at]
                            a = start[i]
                            t, d = foot_point(px[p], py[p], x[a], y[a], x[a + 1], y[a + 1])
                            if d <= snap * snap:
                                _keep(piece[p], share[p], square[p], wanted, i, t, d, edge)
                    column += 2 * ring if inner and ring > 0 else 1
    return piece, share, np.sqrt(square)


@njit(cache=True, nogil=True)
def _keep(piece, share, square, wanted, i, t, d, edge):
    """Insert piece i among the best, at most one an edge; of equally near pieces the lower number stays first."""
    at = wanted
    for k in range(wanted):
        if piece[k] >= 0 and edge[piece[k]] == edge[i]:
            if (d, i) >= (square[k], piece[k]):
                return
            at = k
            break
    if at == wanted:
        at = wanted - 1
        if piece[at] >= 0 and (d, i) >= (square[at], piece[at]):
            return
    while at > 0 and (piece[at - 1] < 0 or (d, i) < (square[at - 1], piece[at - 1])):
        piece[at], share[at], square[at] = piece[at - 1], share[at - 1], square[at - 1]
        at -= 1
    piece[at], share[at], square[at] = i, t, d


@njit(cache=True, nogil=True)
def fill_tile(x, y, start, near, x0, y1, step, piece, share, leg, snap):
    """Find the nearest piece of every lattice point of a tile, of the pieces `near` it, ascending; see `foot_point`.

    Rows run south from `y1`, columns east from `x0`; points beyond `snap` of any street keep piece −1.
    """
    rows, columns = piece.shape
    for k in range(len(near)):
        i = near[k]
        a = start[i]
        ax, ay, bx, by = x[a], y[a], x[a + 1], y[a + 1]
        r0 = max(0, int(np.floor((y1 - max(ay, by) - snap) / step)))
        r1 = min(rows - 1, int(np.ceil((y1 - min(ay, by) + snap) / step)))
        c0 = max(0, int(np.floor((min(ax, bx) - snap - x0) / step)))
        c1 = min(columns - 1, int(np.ceil((max(ax, bx) + snap - x0) / step)))
        for r in range(r0, r1 + 1):
            py = y1 - (r + 0.5) * step
            for c in range(c0, c1 + 1):
                t, d = foot_point(x0 + (c + 0.5) * step, py, ax, ay, bx, by)
                d = np.sqrt(d)
                if d <= snap and np.float32(d) < leg[r, c]:
                    leg[r, c] = d
                    share[r, c] = t
                    piece[r, c] = i


@njit(cache=True, nogil=True)
def _perhaps_nearest(x, y, start, among, count, px, py, radius, snap, away, kept):
    """Keep those of the first `count` pieces that may be the nearest of a point within `radius` of p; tell how many.

    They are no farther from p than the nearest piece there plus twice the radius.
    """
    bound = snap + radius
    for k in range(count):
        a = start[among[k]]
        ax, ay, bx, by = x[a], y[a], x[a + 1], y[a + 1]
        away[k] = np.inf
        if max(min(ax, bx) - px, px - max(ax, bx), min(ay, by) - py, py - max(ay, by)) <= bound:
            away[k] = np.sqrt(foot_point(px, py, ax, ay, bx, by)[1])
            bound = min(bound, away[k] + 2.0 * radius)
    many = 0
    for k in range(count):
        if away[k] <= bound:
            kept[many] = among[k]
            many += 1
    return many


COARSE, FINE = 32, 8
"""Lattice points along a side of the blocks in which `fill_blocks` looks for the nearest piece, first rough, then finer."""

FLOAT32_M = 0.001
"""More than what rounding a leg to float32 changes, metres, so that of equally near pieces the first counts."""


@njit(cache=True, nogil=True)
def fill_blocks(x, y, start, near, x0, y1, step, piece, share, leg, snap):
    """Do what `fill_tile` does, block by block: faster where the snap limit is many steps wide, slower where it is few."""
    rows, columns = piece.shape
    away = np.empty(len(near))
    some, few = np.empty(len(near), near.dtype), np.empty(len(near), near.dtype)
    wide, narrow = step * (COARSE - 1) * np.sqrt(0.5) + FLOAT32_M, step * (FINE - 1) * np.sqrt(0.5) + FLOAT32_M
    for top in range(0, rows, COARSE):
        for left in range(0, columns, COARSE):
            px, py = x0 + (left + 0.5 * COARSE) * step, y1 - (top + 0.5 * COARSE) * step
            count = _perhaps_nearest(x, y, start, near, len(near), px, py, wide, snap, away, some)
            for r0 in range(top, min(top + COARSE, rows), FINE):
                for c0 in range(left, min(left + COARSE, columns), FINE):
                    px, py = x0 + (c0 + 0.5 * FINE) * step, y1 - (r0 + 0.5 * FINE) * step
                    many = _perhaps_nearest(x, y, start, some, count, px, py, narrow, snap, away, few)
                    for r in range(r0, min(r0 + FINE, rows)):
                        for c in range(c0, min(c0 + FINE, columns)):
                            for k in range(many):
                                a = start[few[k]]
                                t, d = foot_point(x0 + (c + 0.5) * step, y1 - (r + 0.5) * step, x[a], y[a], x[a + 1], y[a + 1])
                                d = np.sqrt(d)
                                if d <= snap and np.float32(d) < leg[r, c]:
                                    leg[r, c] = d
                                    share[r, c] = t
                                    piece[r, c] = few[k]


@njit(cache=True, nogil=True)
def paint_tile(
    piece, share, leg, leg_cost, slot, near_a, near_b, cost_f, cost_b, own_ptr, own_share, own_leg, out, r0, r1, c0, c1, top, left
):
    """Lower `out` at ``top, left`` to the travel cost of a tile's lattice points ``r0:r1, c0:c1``.

    ``slot[piece]`` numbers the pieces in reach, −1 for the rest. For slot k, ``near_a[k]`` and ``near_b[k]`` are the costs at
    the two ends of the piece, ``cost_f[k]`` and ``cost_b[k]`` those of its whole length towards b and towards a (as the
    journey counts them, infinite where closed), and ``own_ptr[k]:own_ptr[k + 1]`` the facilities that join the piece itself:
    their share along it and their leg.
    """
    for r in range(r0, r1):
        for c in range(c0, c1):
            i = piece[r, c]
            if i < 0:
                continue
            k = slot[i]
            if k < 0:
                continue
            t = share[r, c]
            to_a = t * cost_b[k] if t > 0 else 0.0  # not 0 × infinity, where the way back is closed
            to_b = (1 - t) * cost_f[k] if t < 1 else 0.0
            cost = min(near_a[k] + to_a, near_b[k] + to_b)
            for own in range(own_ptr[k], own_ptr[k + 1]):
                ahead = own_share[own] - t
                along = ahead * cost_f[k] if ahead > 0 else -ahead * cost_b[k] if ahead < 0 else 0.0
                cost = min(cost, along + own_leg[own])
            cost += leg[r, c] * leg_cost
            if cost < out[top + r - r0, left + c - c0]:
                out[top + r - r0, left + c - c0] = cost
