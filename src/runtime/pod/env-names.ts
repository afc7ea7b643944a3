/** Names that an environment variable may have when it comes from a key of a ConfigMap or Secret. */
export function isEnvVarName(name: string): boolean {
  return /^[!-<>-~]+$/.test(name);
}
