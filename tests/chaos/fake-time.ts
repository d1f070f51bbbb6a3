import { existsSync } from 'node:fs';

/** Debian's libfaketime for programs with threads, whatever the architecture. */
const PLACES = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map((arch) => `/usr/lib/${arch}/faketime/libfaketimeMT.so.1`);

/** The library that moves the wall clock of a process it is preloaded into; null where it is not installed. */
export function fakeTimeLibrary(): string | null {
  return PLACES.find((place) => existsSync(place)) ?? null;
}
