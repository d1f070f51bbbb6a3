/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[], conjunction = 'and'): string {
  if (items.length < 2) return items.join('');
  return `${items.slice(0, -1).join(', ')} ${conjunction} ${items.at(-1)}`;
}

/** Numbers as people write them: runs of three and more as `9 to 17`. */
export function numbers(values: readonly number[], word: (value: number) => string = String): string {
  return listed(
    runs(values).map(({ first, last }) => (last > first ? `${word(first)} to ${word(last)}` : word(first))),
  );
}

/** `minute 5`, `minutes 5, 10 and 15`. */
export function counted(noun: string, values: readonly number[]): string {
  return `${values.length === 1 ? noun : `${noun}s`} ${numbers(values)}`;
}

/** `Monday through Friday`, `Monday and Thursday`. */
export function names(values: readonly number[], word: (value: number) => string): string {
  return listed(
    runs(values).map(({ first, last }) => (last > first ? `${word(first)} through ${word(last)}` : word(first))),
  );
}

/** `every 2 weeks`, `every week`. */
export function everyUnit(count: number, unit: string): string {
  return count === 1 ? `every ${unit}` : `every ${count} ${unit}s`;
}

export function ordinal(n: number): string {
  const word = ['', 'first', 'second', 'third', 'fourth', 'fifth'][n];
  if (word !== undefined && n > 0) return word;
  const ending = n % 100 >= 11 && n % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${ending}`;
}

/** `first`, `last`, `second to last`. */
export function place(n: number): string {
  if (n > 0) return ordinal(n);
  return n === -1 ? 'last' : `${ordinal(-n)} to last`;
}

export function weekdayName(weekday: number): string {
  return ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'][weekday] ?? '';
}

export function monthName(month: number): string {
  return (
    [
      'January',
      'February',
      'March',
      'April',
      'May',
      'June',
      'July',
      'August',
      'September',
      'October',
      'November',
      'December',
    ][month - 1] ?? ''
  );
}

export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function distinct(values: readonly number[]): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

/** Weekdays in the order of a week that begins on Monday; 7 stands for Sunday. */
export function weekOrder(weekdays: readonly number[]): number[] {
  return distinct(weekdays.map((weekday) => (weekday === 0 ? 7 : weekday)));
}

interface Run {
  readonly first: number;
  readonly last: number;
}

/** Rising numbers, put together where three or more follow each other. */
function runs(values: readonly number[]): Run[] {
  const found: Run[] = [];
  for (let index = 0; index < values.length; ) {
    const first = values[index] ?? 0;
    let length = 1;
    while (values[index + length] === first + length) length += 1;
    if (length >= 3) found.push({ first, last: first + length - 1 });
    else for (let value = first; value < first + length; value++) found.push({ first: value, last: value });
    index += length;
  }
  return found;
}
