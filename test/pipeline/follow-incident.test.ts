import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  followIncident,
  type IncidentState,
  type IncidentStep,
  noIncident,
} from "../../src/pipeline/process/rules/follow-incident.ts";

const noon = Date.UTC(2026, 10, 16, 12);
const minute = 60_000;

/** A series of one rule and key; times are in minutes after noon. */
class Series {
  state: IncidentState = noIncident;
  readonly changes: (readonly [minutes: number, change: string, id: string])[] = [];
  #opened = 0;

  /** `score` null: an ordinary point. */
  add(minutes: number, score: number | null, { value = minutes, silent = false, goesOn = false } = {}): IncidentStep {
    const time = noon + minutes * minute;
    const verdict = { score: score ?? 0, anomalous: true, why: "because", expectedLow: 0, expectedHigh: 10 };
    const found = score === null ? null : { time, field: "total", value, verdict };
    const step = followIncident(this.state, { time, found, silent, goesOn }, () => `inc_${++this.#opened}`);
    // As a store keeps it.
    this.state = JSON.parse(JSON.stringify(step.state)) as IncidentState;
    if (step.change !== null) this.changes.push([minutes, step.change, step.incident?.id ?? ""]);
    return step;
  }

  ordinary(...minutes: readonly number[]): void {
    for (const one of minutes) this.add(one, null);
  }

  unusual(...minutes: readonly number[]): void {
    for (const one of minutes) this.add(one, 0.6);
  }
}

describe("an incident", () => {
  test("opens with the first unusual point, takes up those that follow, and is over once", () => {
    const series = new Series();
    series.ordinary(-3, -2, -1);
    series.unusual(0, 1, 2);
    series.ordinary(3, 4, 5, 6, 7, 8, 9, 10);
    assert.deepEqual(series.changes, [
      [0, "opened", "inc_1"],
      [7, "over", "inc_1"],
    ]);
  });

  test("goes on with what is part of the find before, becomes critical by lasting, and is over with what is ordinary", () => {
    const series = new Series();
    series.unusual(0);
    for (let minutes = 1; minutes <= 20; minutes++) series.add(minutes, null, { goesOn: true });
    series.ordinary(22, 24, 26);
    assert.deepEqual(series.changes, [
      [0, "opened", "inc_1"],
      [15, "escalated", "inc_1"],
      [26, "over", "inc_1"],
    ]);
    series.add(30, null, { goesOn: true });
    assert.equal(series.state.open, null);
  });

  test("is one however many points it has, and its state stays small", () => {
    const series = new Series();
    for (let point = 0; point < 10_000; point++) {
      assert.equal(series.add(point / 1000, 0.6).of?.id, "inc_1");
    }
    assert.deepEqual(series.changes, [[0, "opened", "inc_1"]]);
    assert.equal(series.state.open?.points, 10_000);
    assert.ok(JSON.stringify(series.state).length < 500);
  });

  test("knows when it began, its latest point and its worst", () => {
    const series = new Series();
    series.unusual(0);
    series.add(1, 0.8, { value: 99 });
    const { incident } = series.add(2, 0.8, { value: 98 });
    assert.deepEqual(incident, {
      id: "inc_1",
      severity: "warning",
      openedAt: noon,
      lastAt: noon + 2 * minute,
      points: 3,
      worst: { time: noon + minute, field: "total", value: 99, score: 0.8, expectedLow: 0, expectedHigh: 10 },
    });
  });

  test("is not over after fewer than three ordinary points in a row, nor within five minutes", () => {
    const series = new Series();
    series.unusual(0);
    series.ordinary(6, 7);
    series.unusual(8);
    series.ordinary(9, 10, 11, 12, 12.9);
    assert.deepEqual(series.changes, [[0, "opened", "inc_1"]]);
    series.ordinary(13);
    assert.deepEqual(series.changes.at(-1), [13, "over", "inc_1"]);
  });

  test("of a slow series is over with one ordinary point after an hour", () => {
    const series = new Series();
    series.unusual(0);
    series.ordinary(59);
    assert.equal(series.changes.length, 1);
    series.ordinary(60);
    assert.deepEqual(series.changes.at(-1), [60, "over", "inc_1"]);
  });

  test("that is silence is over with the next event, however old that is", () => {
    const series = new Series();
    series.add(0, 0.6, { silent: true });
    series.add(10, 0.6, { silent: true });
    const { incident } = series.add(12, null);
    assert.deepEqual(series.changes.at(-1), [12, "over", "inc_1"]);
    assert.equal(incident?.lastAt, noon + 12 * minute, "it lasted until something came");
    series.add(20, 0.6, { silent: true });
    series.ordinary(19);
    assert.deepEqual(series.changes.at(-1), [19, "over", "inc_2"]);
  });

  test("opens a new one when it was over before", () => {
    const series = new Series();
    series.unusual(0);
    series.ordinary(5, 6, 7);
    series.unusual(8);
    assert.deepEqual(series.changes, [
      [0, "opened", "inc_1"],
      [7, "over", "inc_1"],
      [8, "opened", "inc_2"],
    ]);
  });
});

describe("the severity of an incident", () => {
  test("is critical at once with a score of 0.9, and said with its opening", () => {
    const series = new Series();
    assert.equal(series.add(0, 0.9).of?.severity, "critical");
    assert.deepEqual(series.changes, [[0, "opened", "inc_1"]]);
  });

  test("becomes critical once, by score or after fifteen minutes, and stays so", () => {
    const byScore = new Series();
    byScore.unusual(0, 1);
    byScore.add(2, 0.95);
    byScore.unusual(3);
    byScore.add(4, 0.99);
    assert.deepEqual(byScore.changes.slice(1), [[2, "escalated", "inc_1"]]);
    assert.equal(byScore.state.open?.severity, "critical");
    const byDuration = new Series();
    byDuration.unusual(0, 5, 10, 14.9);
    assert.equal(byDuration.changes.length, 1);
    byDuration.unusual(15, 20);
    assert.deepEqual(byDuration.changes.slice(1), [[15, "escalated", "inc_1"]]);
  });

  test("does not come from a late point: that one does not make the incident longer", () => {
    const series = new Series();
    series.unusual(0, -60);
    assert.equal(series.state.open?.openedAt, noon);
    assert.equal(series.state.open?.severity, "warning");
    assert.equal(series.state.open?.points, 2);
  });
});

describe("late points", () => {
  test("that are ordinary end nothing: they tell of the time before", () => {
    const series = new Series();
    series.unusual(0);
    series.ordinary(-200, -100, -1, 0);
    assert.equal(series.changes.length, 1);
    assert.equal(series.state.open?.ordinary, 0);
  });

  test("that are unusual do not put off the end, nor take back ordinary points", () => {
    const series = new Series();
    series.unusual(0);
    series.ordinary(4, 4.5);
    series.unusual(-1);
    series.ordinary(5);
    assert.deepEqual(series.changes.at(-1), [5, "over", "inc_1"]);
  });

  test("that fall into the incident before belong to it, and nobody is told again", () => {
    const series = new Series();
    series.unusual(0);
    series.ordinary(5, 6, 7);
    for (const late of [0, 3, 7]) {
      assert.deepEqual(series.add(late, 0.99), {
        state: series.state,
        of: series.state.last,
        incident: null,
        change: null,
      });
    }
    assert.equal(series.changes.length, 2);
  });

  test("from before the last incident are an incident of their own, which the next ordinary points end", () => {
    const series = new Series();
    series.unusual(0);
    series.ordinary(5, 6, 7);
    series.unusual(-600, -590);
    series.ordinary(8);
    assert.deepEqual(series.changes.slice(2), [
      [-600, "opened", "inc_2"],
      [8, "over", "inc_2"],
    ]);
    series.unusual(9);
    assert.deepEqual(series.changes.at(-1), [9, "opened", "inc_3"]);
  });
});
