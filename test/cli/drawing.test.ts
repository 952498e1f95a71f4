import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { progressBar } from "../../src/cli/progress-bar.ts";
import { displayWidth, formatTable } from "../../src/cli/table.ts";
import { visibleText } from "../../src/cli/visible-text.ts";

describe("visible text", () => {
  test("shows what would drive a terminal or reorder text, and leaves the rest", () => {
    assert.equal(
      visibleText("\u001b[31m\u0007\n\r\t\u009b2J\u202e\u2028\u200b\ud800"),
      "\\u001b[31m\\u0007\\n\\r\\t\\u009b2J\\u202e\\u2028\\u200b\\ud800",
    );
    assert.equal(visibleText("Grüße 😀 日本 \\n"), "Grüße 😀 日本 \\n");
  });
});

describe("table", () => {
  const columns = [{ title: "NAME" }, { title: "N", align: "right" as const }];

  test("lines up columns, also with wide characters", () => {
    const text = formatTable(
      columns,
      [
        ["日本", "1"],
        ["kitchen", "1,000"],
      ],
      80,
    );
    assert.deepEqual(text.split("\n"), ["NAME         N", "日本         1", "kitchen  1,000"]);
    assert.equal(displayWidth("日本"), 4);
    assert.equal(displayWidth("😀e\u0301"), 3);
  });

  test("takes the width from the widest column, and marks what is cut", () => {
    const lines = formatTable(columns, [["x".repeat(100), "12345"]], 40).split("\n");
    assert.ok(lines.every((line) => displayWidth(line) <= 40));
    assert.match(lines[1] ?? "", /^x+… {2}12345$/);
  });

  test("never cuts a column that is to stay whole", () => {
    const whole = [{ title: "ID", whole: true }, { title: "WHY" }];
    const lines = formatTable(whole, [[`fail_${"0".repeat(40)}`, "y".repeat(50)]], 60).split("\n");
    assert.match(lines[1] ?? "", /^fail_0{40} {2}y+…$/);
  });

  test("has one line a row, whatever the cells hold", () => {
    assert.equal(formatTable(columns, [["a\nb\u001b[2J", "1"]], 80).split("\n").length, 2);
  });
});

describe("progress bar", () => {
  const draw = (isTTY: boolean) => {
    const written: string[] = [];
    let now = 0;
    const stream = {
      isTTY,
      columns: 60,
      write: (text: string | Uint8Array) => {
        written.push(String(text));
        return true;
      },
    };
    const bar = progressBar({ stream, now: () => now });
    return {
      written,
      bar,
      after(millis: number) {
        now += millis;
      },
    };
  };

  test("draws nothing off a terminal", () => {
    const { bar, written, after } = draw(false);
    after(10_000);
    bar.update(1, 2, "events");
    bar.clear();
    assert.deepEqual(written, []);
  });

  test("draws after half a second, at most ten times a second, within the terminal, and leaves nothing", () => {
    const { bar, written, after } = draw(true);
    bar.update(0, 100, "0 events");
    assert.deepEqual(written, []);
    after(600);
    bar.update(50, 100, `50 events ${"x".repeat(100)}`);
    bar.update(51, 100, "51 events");
    const [first = "", ...others] = [...written];
    assert.deepEqual(others, []);
    assert.ok(first.startsWith("\r\u001b[2K[############------------]  50 % 50 events"));
    assert.equal(first.length - "\r\u001b[2K".length, 59);
    after(150);
    bar.update(500, 100, "done");
    assert.match(written.slice(1).join(), /100 %/);
    bar.clear();
    bar.clear();
    assert.deepEqual(written.slice(2), ["\r\u001b[2K"]);
  });

  test("counts where nobody knows how much there is", () => {
    const { bar, written, after } = draw(true);
    after(600);
    bar.update(50, null, "12 events");
    assert.deepEqual(written, ["\r\u001b[2K12 events"]);
  });
});
