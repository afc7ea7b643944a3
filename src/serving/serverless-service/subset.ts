/**
 * Chooses `count` of the activators for one revision, always the same ones as long as they stay: consistent hashing as
 * Knative does it, so that activators and controllers of either make agree. Pure.
 */

const UNIVERSE = 2048n;

export function chooseSubset(addresses: readonly string[], count: number, revision: string): Set<string> {
  if (count <= 0 || addresses.length <= count) return new Set(addresses);
  const places = place(addresses, revision);
  const angles = [...places.keys()].sort((left, right) => Number(left - right));
  const step = fnv1a64(`${revision}step-angle-salt`) % UNIVERSE;
  let angle = fnv1a64(`${revision}start-angle-salt`) % UNIVERSE;
  const chosen = new Set<string>();
  const isFree = (one: bigint) => !chosen.has(places.get(one) ?? '');
  while (chosen.size < count) {
    const next = angles.find((one) => one >= angle && isFree(one)) ?? angles.find(isFree);
    chosen.add(places.get(next ?? 0n) ?? '');
    angle = (angle + step) % UNIVERSE;
  }
  return chosen;
}

/** Every address on the circle; who finds its place taken moves on to another. */
function place(addresses: readonly string[], revision: string): Map<bigint, string> {
  const places = new Map<bigint, string>();
  for (const address of [...addresses].sort()) {
    let text = `${address}${revision}`;
    let hash = fnv1a64(text);
    while (places.has(hash % UNIVERSE)) {
      text += hash.toString(16);
      hash = fnv1a64(text);
    }
    places.set(hash % UNIVERSE, address);
  }
  return places;
}

const OFFSET = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;
const MASK = 2n ** 64n - 1n;

function fnv1a64(text: string): bigint {
  let hash = OFFSET;
  for (const byte of Buffer.from(text)) hash = ((hash ^ BigInt(byte)) * PRIME) & MASK;
  return hash;
}
