/** One may hold so many for each that is still free. */
const FOR_EACH_FREE = 4;

/**
 * Whether one that holds `own` of what many share may take another (the dynamic thresholds of Choudhury and Hahne): alone it
 * gets to four fifths, and who comes later finds some free, however long the others hold on to theirs.
 */
export function mayTakeMore(own: number, free: number): boolean {
  return own < free * FOR_EACH_FREE;
}
