import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { findCycles, orderItems } from "../../src/domain/plan-order.ts";

/** `b<a,c` is the item b with the prerequisites a and c. */
function itemsOf(text: string) {
  return text.split(" ").map((part) => {
    const [id = "", after = ""] = part.split("<");
    return { item_id: id, prerequisites: after === "" ? [] : after.split(",") };
  });
}

describe("orderItems", () => {
  it.each([
    ["a b c", "a b c"],
    ["a<c b c", "b c a"],
    ["a<c b<a c d", "c a b d"],
    ["a<elsewhere b<a", "a b"],
    ["d<b,c b<a c<a a", "a b c d"],
  ])("orders %j as %j", (items, expected) => {
    expect(
      orderItems(itemsOf(items))
        .map(({ item_id }) => item_id)
        .join(" "),
    ).toBe(expected);
  });

  it("takes a circle for our bug", () => {
    expect(() => orderItems(itemsOf("a<b b<a c"))).toThrow("items wait for each other: a, b");
  });
});

describe("findCycles", () => {
  it.each([
    ["a b<a c<a,b", []],
    ["a<b b<a", [["a", "b"]]],
    ["a<c b<a c<b", [["a", "c", "b"]]],
    ["x<b a b<c c<b d<c", [["b", "c"]]],
    [
      "c<d d<c a<b b<a",
      [
        ["c", "d"],
        ["a", "b"],
      ],
    ],
    ["a<b b<a,c c<b", [["a", "b"]]],
    ["a<b b<c,a c", [["a", "b"]]],
    ["a<a", [["a"]]],
    ["a<elsewhere", []],
  ])("finds in %j %j", (items, expected) => {
    expect(findCycles(itemsOf(items))).toEqual(expected);
  });

  it("visits each item once, however many ways lead to it", () => {
    const layers = Array.from({ length: 60 }, (_, layer) => [
      { item_id: `a${layer}`, prerequisites: [`a${layer + 1}`, `b${layer + 1}`] },
      { item_id: `b${layer}`, prerequisites: [`a${layer + 1}`, `b${layer + 1}`] },
    ]);
    expect(findCycles(layers.flat())).toEqual([]);
  });

  it("finds one exactly when there is no order of work", () => {
    const ids = ["a", "b", "c", "d", "e"];
    const graph = fc.tuple(
      ...ids.map((id) => fc.record({ item_id: fc.constant(id), prerequisites: fc.subarray(ids) })),
    );
    fc.assert(
      fc.property(graph, (items) => {
        if (findCycles(items).length > 0) {
          expect(() => orderItems(items)).toThrow();
          return;
        }
        const ordered = orderItems(items).map(({ item_id }) => item_id);
        for (const item of items) {
          for (const id of item.prerequisites) {
            expect(ordered.indexOf(id)).toBeLessThan(ordered.indexOf(item.item_id));
          }
        }
      }),
    );
  });
});
