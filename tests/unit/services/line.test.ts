import { queryObjects } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { Line } from '../../../src/domain/services/line.ts';

class Item {
  readonly name: number;

  constructor(name: number) {
    this.name = name;
  }
}

function lineOf(count: number): Line<Item> {
  const line = new Line(new Item(0));
  for (let name = 1; name < count; name += 1) line.put(new Item(name));
  return line;
}

/** Their names, so that nothing here keeps the items. */
function taken(line: Line<Item>, count: number): readonly (number | undefined)[] {
  return Array.from({ length: count }, () => line.take()?.name);
}

function numbers(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

describe('a line', () => {
  it('gives items in the order they came, also beyond where it gives places back', () => {
    const line = lineOf(3000);
    expect(taken(line, 2000)).toEqual(numbers(0, 2000));
    line.put(new Item(3000));
    expect(taken(line, 1001)).toEqual(numbers(2000, 3001));
    expect(line.size).toBe(0);
    expect(line.take()).toBeUndefined();
    expect(line.size).toBe(0);
  });

  it('keeps nothing of what was taken', () => {
    const line = lineOf(900);
    taken(line, 899);
    expect(queryObjects(Item)).toBe(1);
    expect(line.size).toBe(1);
  });

  it('hands out all that waits, and is empty then', () => {
    const line = lineOf(5);
    taken(line, 2);
    expect(line.drain().map(({ name }) => name)).toEqual([2, 3, 4]);
    expect(line.size).toBe(0);
    line.put(new Item(9));
    expect(line.take()?.name).toBe(9);
  });
});
