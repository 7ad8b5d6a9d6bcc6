# mypy: disallow_untyped_defs=False, disallow_untyped_calls=False, disallow_untyped_decorators=False
"""Run the primal–dual steps towards the relaxation of a covering problem, compiled; see `primal_dual`."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def project(wanted, pace, cost, budget, toll, out):
    """Move `wanted` to the nearest point (by `pace`) of 0 <= x <= 1, cost . x <= budget; returns the toll of the budget."""
    low, high = 0.0, np.inf
    for _ in range(60):
        used, slope = 0.0, 0.0
        for j in range(len(wanted)):
            z = wanted[j] - pace[j] * toll * cost[j]
            if z >= 1.0:
                used += cost[j]
            elif z > 0.0:
                used += cost[j] * z
                slope += pace[j] * cost[j] * cost[j]
        over = used - budget
        if abs(over) <= 1e-9 * budget or (over <= 0.0 and toll == 0.0):
            break
        if over > 0.0:
            low = toll
        else:
            high = toll
        if high - low < 1e-13 * (1.0 + low):
            break
        following = toll + over / slope if slope > 0.0 else -1.0
        if not low < following < high:
            following = 0.5 * (low + high) if high < np.inf else 2.0 * low + 1e-9
            if over < 0.0 and low == 0.0 and slope > 0.0:
                following = 0.0
        toll = following
    for j in range(len(wanted)):
        out[j] = min(1.0, max(0.0, wanted[j] - pace[j] * toll * cost[j]))
    return toll


@njit(cache=True, nogil=True)
def choice_value(worth, cost, budget, home, units, toll):
    """Worth of the best choice when every site pays the toll and every unit has one, minimised over tolls near the given one."""
    high = 0.0
    for j in range(len(worth)):
        if cost[j] > 0.0:
            high = max(high, worth[j] / cost[j])
    low, best, best_toll = 0.0, np.inf, toll
    top = np.empty(units)
    bill = np.zeros(units)
    for turn in range(60):
        value, used = toll * budget, 0.0
        top[:] = -np.inf
        for j in range(len(worth)):
            left = worth[j] - toll * cost[j]
            u = home[j]
            if 0 <= u < units and left > top[u]:
                top[u], bill[u] = left, cost[j]
            if left > 0.0:
                value += left
                used += cost[j]
        for u in range(units):
            if -np.inf < top[u] < 0.0:
                value += top[u]
                used += bill[u]
        if value < best:
            best, best_toll = value, toll
        if used > budget:
            low = toll
        else:
            high = toll
        if high - low < 1e-9 * (1.0 + high):
            break
        if turn == 0 and toll > 0.0:
            toll = min(high, toll * 1.001) if used > budget else max(low, toll * 0.999)
        else:
            toll = 0.5 * (low + high)
    return best, best_toll


@njit(cache=True, nogil=True)
def primal_dual(net, people, cost, budget, units, most, known, rounds, gap):
    """Step towards the relaxation: see `primal_dual.solve_relaxation`. `most` limits the number of sites too, -1 for not."""
    reach_start, reach, seen_start, seen, home = net.reach_start, net.reach, net.seen_start, net.seen, net.home
    sites, cells = len(cost), len(people)
    total = people.sum()
    slow = np.empty(cells)
    for i in range(cells):
        slow[i] = 1.0 / (seen_start[i + 1] - seen_start[i])
    quick = np.zeros(sites)
    for j in range(sites):
        for e in range(reach_start[j], reach_start[j + 1]):
            quick[j] += people[reach[e]]
    mean = max(quick.mean(), 1e-12)
    size = np.zeros(units)
    for j in range(sites):
        if 0 <= home[j] < units:
            quick[j] += mean
            size[home[j]] += 1.0
        if most >= 0.0:
            quick[j] += mean
        quick[j] = 1.0 / max(quick[j], 1e-12)
    x = np.full(sites, min(1.0, budget / max(cost.sum(), 1e-12)))
    y, z, q = np.full(cells, 0.5), np.zeros(units), 0.0
    x0, y0, z0, q0 = x.copy(), y.copy(), z.copy(), q
    x1, y1, z1, q1 = x.copy(), y.copy(), z.copy(), q
    pay, worth, moved, pace, near = np.empty(cells), np.empty(sites), np.empty(sites), np.empty(sites), np.empty(units)
    balance, toll, fair = 1.0, 0.0, 0.0
    bound, value = np.inf, -np.inf
    best_y, best_x = y.copy(), x.copy()
    first_gap, last_gap, since = np.inf, np.inf, 0
    for it in range(rounds):
        for i in range(cells):
            pay[i] = people[i] * y[i]
        for j in range(sites):
            a = 0.0
            for e in range(reach_start[j], reach_start[j + 1]):
                a += pay[reach[e]]
            if 0 <= home[j] < units:
                a += mean * z[home[j]]
            pace[j] = balance * quick[j]
            moved[j] = x[j] + pace[j] * (a - mean * q)
        toll = project(moved, pace, cost, budget, toll, x1)
        near[:] = 0.0
        every = 0.0
        for j in range(sites):
            moved[j] = 2.0 * x1[j] - x[j]
            every += moved[j]
            if 0 <= home[j] < units:
                near[home[j]] += moved[j]
        for i in range(cells):
            a = -1.0
            for e in range(seen_start[i], seen_start[i + 1]):
                a += moved[seen[e]]
            y1[i] = min(1.0, max(0.0, y[i] - slow[i] / balance * a))
        for u in range(units):
            z1[u] = max(0.0, z[u] - (near[u] - 1.0) / (size[u] * balance))
        if most >= 0.0:
            q1 = max(0.0, q + (every - most) / (sites * balance))
        restart = False
        if it % 25 == 24 or it == rounds - 1:
            most_now = total
            for i in range(cells):
                pay[i] = people[i] * y1[i]
                most_now -= pay[i]
            for j in range(sites):
                a = 0.0
                for e in range(reach_start[j], reach_start[j + 1]):
                    a += pay[reach[e]]
                worth[j] = a - mean * q1
            a, fair = choice_value(worth, cost, budget, home, units, fair)
            most_now += a + mean * q1 * max(most, 0.0)
            now = 0.0
            for i in range(cells):
                a = 0.0
                for e in range(seen_start[i], seen_start[i + 1]):
                    a += x1[seen[e]]
                now += people[i] * min(1.0, a)
            near[:] = 0.0
            every = 0.0
            highest = 1.0
            for j in range(sites):
                every += x1[j]
                if 0 <= home[j] < units:
                    near[home[j]] += x1[j]
            for u in range(units):
                highest = max(highest, 2.0 * z1[u])
            for u in range(units):
                now -= mean * highest * max(0.0, 1.0 - near[u])
            if most >= 0.0:
                now -= mean * max(1.0, 2.0 * q1) * max(0.0, every - most)
            if most_now < bound:
                bound = most_now
                best_y[:] = y1
            if now > value:
                value = now
                best_x[:] = x1
            if bound - value <= gap * bound or bound <= known:
                break
            here = most_now - now
            restart = here <= 0.3 * first_gap or (here <= 0.7 * first_gap and here > last_gap) or since >= 0.36 * it + 50
            last_gap = here
        if restart:
            dx, dy = 0.0, 0.0
            for j in range(sites):
                dx += (x1[j] - x0[j]) ** 2 / quick[j]
            for i in range(cells):
                dy += (y1[i] - y0[i]) ** 2 * people[i] / slow[i]
            if dx > 0.0 and dy > 0.0:
                balance = np.exp(0.5 * np.log(np.sqrt(dx / dy)) + 0.5 * np.log(balance))
            x[:], y[:], z[:], q = x1, y1, z1, q1
            x0[:], y0[:], z0[:], q0 = x, y, z, q
            first_gap, since = here, 0
        else:
            b = (since + 1.0) / (since + 2.0)
            x[:] = b * (2.0 * x1 - x) + (1.0 - b) * x0
            y[:] = b * (2.0 * y1 - y) + (1.0 - b) * y0
            z[:] = b * (2.0 * z1 - z) + (1.0 - b) * z0
            q = b * (2.0 * q1 - q) + (1.0 - b) * q0
            since += 1
    for i in range(cells):
        best_y[i] = people[i] * min(1.0, max(0.0, best_y[i]))
    return best_y, best_x
