/**
 * The forms that Kubernetes gives to names, label keys and values, ports and the like. Each check answers with what
 * is wrong, in Kubernetes' words (a list, as several things may be); an empty list means that all is well.
 */

type Problems = string[];

const DNS_LABEL_LENGTH = 63;
const DNS_SUBDOMAIN_LENGTH = 253;
const LABEL_VALUE_LENGTH = 63;
const PORT_NAME_LENGTH = 15;

const DNS_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const DNS_SUBDOMAIN = `${DNS_LABEL}(\\.${DNS_LABEL})*`;
const DNS_1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?';
const QUALIFIED_NAME = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${QUALIFIED_NAME})?`;
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const C_IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*';
const HTTP_HEADER = '[-A-Za-z0-9]+';
const PERCENT = '[0-9]+%';

const dnsLabel = whole(DNS_LABEL);
const dnsSubdomain = whole(DNS_SUBDOMAIN);
const dns1035Label = whole(DNS_1035_LABEL);
const qualifiedName = whole(QUALIFIED_NAME);
const labelValue = whole(LABEL_VALUE);
const configKey = whole(CONFIG_KEY);
const cIdentifier = whole(C_IDENTIFIER);
const httpHeader = whole(HTTP_HEADER);
const percent = whole(PERCENT);

const NAME_RULE =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
const NAME_EXAMPLES = ['MyName', 'my.name', '123-abc'];

/** Names of most objects that become a part of a host name: namespaces, pods' containers. */
export function dnsLabelProblems(value: string): Problems {
  const problems = tooLong(value, DNS_LABEL_LENGTH);
  if (dnsLabel.test(value)) return problems;
  if (dnsSubdomain.test(value)) return [...problems, 'must not contain dots'];
  const rule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
  return [...problems, mismatch(rule, DNS_LABEL, ['my-name', '123-abc'])];
}

/** Names of most objects. */
export function dnsSubdomainProblems(value: string): Problems {
  const problems = tooLong(value, DNS_SUBDOMAIN_LENGTH);
  if (dnsSubdomain.test(value)) return problems;
  const rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
  return [...problems, mismatch(rule, DNS_SUBDOMAIN, ['example.com'])];
}

/** Names of services. */
export function dns1035LabelProblems(value: string): Problems {
  const problems = tooLong(value, DNS_LABEL_LENGTH);
  if (dns1035Label.test(value)) return problems;
  const rule =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  return [...problems, mismatch(rule, DNS_1035_LABEL, ['my-name', 'abc-123'])];
}

/** Keys of labels and annotations: a name, perhaps after a DNS subdomain and a slash. */
export function qualifiedNameProblems(value: string): Problems {
  const parts = value.split('/');
  if (parts.length > 2) {
    const rule = mismatch(NAME_RULE, QUALIFIED_NAME, NAME_EXAMPLES);
    return [`a qualified name ${rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const name = parts.at(-1) ?? '';
  const ofName = name === '' ? ['must be non-empty'] : tooLong(name, LABEL_VALUE_LENGTH);
  if (!qualifiedName.test(name)) ofName.push(mismatch(NAME_RULE, QUALIFIED_NAME, NAME_EXAMPLES));
  const ofPrefix = parts.length === 2 ? prefixProblems(parts[0] ?? '') : [];
  return [...ofPrefix, ...ofName.map((problem) => `name part ${problem}`)];
}

function prefixProblems(prefix: string): Problems {
  const problems = prefix === '' ? ['must be non-empty'] : dnsSubdomainProblems(prefix);
  return problems.map((problem) => `prefix part ${problem}`);
}

export function labelValueProblems(value: string): Problems {
  const problems = tooLong(value, LABEL_VALUE_LENGTH);
  if (labelValue.test(value)) return problems;
  const rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
  return [...problems, mismatch(rule, LABEL_VALUE, ['MyValue', 'my_value', '12345'])];
}

/** Keys of ConfigMaps and Secrets. */
export function configKeyProblems(value: string): Problems {
  const problems = tooLong(value, DNS_SUBDOMAIN_LENGTH);
  if (!configKey.test(value)) {
    const rule = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
    problems.push(mismatch(rule, CONFIG_KEY, ['key.name', 'KEY_NAME', 'key-name']));
  }
  if (value === '.' || value === '..') return [...problems, `must not be '${value}'`];
  return value.startsWith('..') ? [...problems, "must not start with '..'"] : problems;
}

/** Names of environment variables, by the rule in force since 1.32: printable ASCII without `=`. */
export function envVarNameProblems(value: string): Problems {
  if (value === '') return ['environment variable name must be non-empty'];
  if (/^[\x20-\x3c\x3e-\x7e]*$/.test(value)) return [];
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

export function cIdentifierProblems(value: string): Problems {
  if (cIdentifier.test(value)) return [];
  const rule =
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'";
  return [mismatch(rule, C_IDENTIFIER, ['my_name', 'MY_NAME', 'MyName'])];
}

export function portNameProblems(value: string): Problems {
  const problems = tooLong(value, PORT_NAME_LENGTH);
  if (!/^[-a-z0-9]+$/.test(value)) {
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)');
  if (value.includes('--')) problems.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen');
  return problems;
}

export function portNumberProblems(port: number): Problems {
  return rangeProblems(port, 1, 65_535);
}

export function rangeProblems(value: number, least: number, most: number): Problems {
  return value >= least && value <= most ? [] : [`must be between ${least} and ${most}, inclusive`];
}

export function httpHeaderNameProblems(value: string): Problems {
  if (httpHeader.test(value)) return [];
  const rule = "a valid HTTP header must consist of alphanumeric characters or '-'";
  return [mismatch(rule, HTTP_HEADER, ['X-Header-Name'])];
}

export function percentProblems(value: string): Problems {
  if (percent.test(value)) return [];
  const rule = "a valid percent string must be a numeric string followed by an ending '%'";
  return [mismatch(rule, PERCENT, ['1%', '93%'])];
}

/** Names of objects that may hold almost anything, such as roles; they become one segment of a path. */
export function pathSegmentProblems(value: string): Problems {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%'].filter((letter) => value.includes(letter)).map((letter) => `may not contain '${letter}'`);
}

function whole(expression: string): RegExp {
  return new RegExp(`^(?:${expression})$`);
}

function tooLong(value: string, most: number): Problems {
  return Buffer.byteLength(value) > most ? [`must be no more than ${most} characters`] : [];
}

function mismatch(rule: string, expression: string, examples: readonly string[]): string {
  const shown = examples.map((example) => `'${example}', `).join(' or ');
  return `${rule} (e.g. ${shown}regex used for validation is '${expression}')`;
}
