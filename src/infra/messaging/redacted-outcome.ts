import type { Outcome } from '../../domain/entities/run.ts';
import { MASK, SHORTEST_SECRET } from '../../domain/entities/secret.ts';

/** Headers whose values are no secrets: they stand in every other error message. */
const OPEN_HEADERS = new Set([
  'accept',
  'accept-encoding',
  'accept-language',
  'cache-control',
  'content-type',
  'user-agent',
]);
/** A value is also looked for in parts: the token without its `Bearer`, one cookie of several. */
const MOST_PARTS = 8;
/** An answer is cut anywhere: a beginning of a value this long is taken off its end. */
const SHORTEST_BEGINNING = 4;
/** Values longer than this together are not looked for: then nothing of an answer is kept. */
const LONGEST_LOOK = 8_192;

/** The values among a target's headers, name, value, name, value, that must not come back. */
export function guardedValues(headers: readonly string[]): readonly string[] {
  return headers.filter((_value, at) => at % 2 === 1 && !OPEN_HEADERS.has(headers[at - 1]?.toLowerCase() ?? ''));
}

/** The outcome without the values that a receiver echoed: as they were sent, in their parts, quoted, escaped or encoded. */
export function withoutValues(outcome: Outcome, values: readonly string[]): Outcome {
  if (outcome.kind === 'accepted' || values.length === 0) return outcome;
  const { reason, responseSnippet } = outcome;
  const isTooMuch = values.reduce((sum, value) => sum + value.length, 0) > LONGEST_LOOK;
  const forms = isTooMuch ? [] : [...new Set(values.flatMap(partsOf).flatMap(formsOf))];
  return {
    ...outcome,
    ...(reason !== undefined && { reason: cleaned(reason, forms) }),
    ...(responseSnippet !== undefined && { responseSnippet: isTooMuch ? MASK : cleaned(responseSnippet, forms) }),
  };
}

function partsOf(value: string): readonly string[] {
  const basic = /^basic\s+([A-Za-z0-9+/_=-]+)$/i.exec(value)?.[1];
  const credentials = basic === undefined ? [] : partsOf(Buffer.from(basic, 'base64').toString('latin1'));
  const parts = [value, ...value.split(/[\s,;:="']+/, MOST_PARTS), value.slice(value.indexOf(' ') + 1)];
  return [...parts, ...credentials].filter((part) => part.length >= SHORTEST_SECRET);
}

function formsOf(part: string): readonly string[] {
  const quoted = JSON.stringify(part).slice(1, -1);
  const html = part.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
  const named = part.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
  const base64 = Buffer.from(part, 'latin1').toString('base64').replace(/=+$/, '');
  return [part, quoted, html, named, base64, encodeURIComponent(part)].map(lowerCased);
}

/** The text with the mask in place of each form, in whatever case, and of the beginning of one that the text ends with. */
function cleaned(text: string, forms: readonly string[]): string {
  const lower = lowerCased(text);
  const isHidden = new Uint8Array(text.length);
  for (const form of forms) {
    for (let at = lower.indexOf(form); at !== -1; at = lower.indexOf(form, at + form.length))
      isHidden.fill(1, at, at + form.length);
    const cut = beginningAtEnd(lower, form);
    if (cut >= SHORTEST_BEGINNING) isHidden.fill(1, text.length - cut);
  }
  let shown = '';
  for (let at = 0; at < text.length; at += 1) {
    if (isHidden[at] === 0) shown += text[at];
    else if (at === 0 || isHidden[at - 1] === 0) shown += MASK;
  }
  return shown;
}

/** How many characters at the end of `text` are the beginning of `form`, as Knuth, Morris and Pratt count. */
function beginningAtEnd(text: string, form: string): number {
  const borders = [0];
  const grown = (matched: number, char: string | undefined): number => {
    let length = matched;
    while (length > 0 && form[length] !== char) length = borders[length - 1] ?? 0;
    return form[length] === char ? length + 1 : length;
  };
  for (let at = 1; at < form.length; at += 1) borders.push(grown(borders[at - 1] ?? 0, form[at]));
  let matched = 0;
  for (let at = Math.max(0, text.length - form.length + 1); at < text.length; at += 1)
    matched = grown(matched, text[at]);
  return matched;
}

/** Letters that ASCII has, so that no character changes its length. */
function lowerCased(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
