/**
 * Installs the distribution's packages that tests need and this machine lacks, saying first which and what for. What
 * cannot be had is no error: the tests that need it are left out, and say so.
 */
import { isAtLeast, type MissingPackages, missingPackages } from '#testing/requirements.ts';
import { aptCommand, candidates, installPackages, whyNotInstall } from '../apt.mjs';

/** What remains missing and why, a line each. */
export function installMissing(say: (line: string) => void): string[] {
  const missing = missingPackages();
  if (missing.length === 0) return [];
  const names = missing.map(({ requirement }) => requirement).join(', ');
  const hindrance = whyNotInstall();
  if (hindrance !== undefined) return [`${names} cannot be installed here: ${hindrance}`];
  const versions = candidates(
    ...new Set(missing.flatMap(({ packages, companions = [] }) => [...packages, ...companions])),
  );
  const problems = new Map(missing.map((one) => [one, whyUnavailable(one, versions)]));
  const wanted = missing.filter((one) => problems.get(one) === undefined);
  const notes = [...problems.values()].filter((problem) => problem !== undefined);
  const companions = wanted.flatMap((one) => one.companions ?? []).filter((name) => versions.has(name));
  return [...notes, ...install(wanted, companions, say)];
}

function install(
  wanted: readonly MissingPackages[],
  companions: readonly string[],
  say: (line: string) => void,
): string[] {
  if (wanted.length === 0) return [];
  const packages = [...new Set([...wanted.flatMap((one) => one.packages), ...companions])];
  const purposes = wanted.map(({ requirement }) => requirement).join(', ');
  say(`Tests need ${purposes}, which this machine lacks, so this installs them (not with PINNACE_NO_INSTALL=1):`);
  say(`  ${aptCommand(...packages)}`);
  const failure = installPackages(...packages);
  return failure ? [`${failure.problem}; ${failure.cure}`] : [];
}

function whyUnavailable(
  { requirement, packages, atLeast }: MissingPackages,
  versions: ReadonlyMap<string, string>,
): string | undefined {
  for (const name of packages) {
    const version = versions.get(name);
    if (version === undefined) return `${requirement}: this distribution has no package ${name}`;
    if (atLeast !== undefined && !isAtLeast(version, atLeast.version)) {
      return `${requirement}: this distribution’s package ${name} is ${version}`;
    }
  }
  return undefined;
}
