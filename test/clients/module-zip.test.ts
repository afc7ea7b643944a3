/** Archives from a module proxy are believed only as far as their hash goes. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { unpackModule } from '../../scripts/clients/module-zip.ts';

/** One file stored and one deflated; its hash as `golang.org/x/mod/sumdb/dirhash` has it. */
const ZIP = Buffer.from(
  'UEsDBBQAAAAIAAAAIQAoZavLCQAAAFAAAAAUAAAAYS5iL21AdjEuMC4wL29uZS50eHTLz0vlyqciBgBQSwMEFAAAAAAAAAAhAHQIF5YEAAAABAAAABQ' +
    'AAABhLmIvbUB2MS4wLjAvYmluL3R3b3R3bwpQSwECFAMUAAAACAAAACEAKGWrywkAAABQAAAAFAAAAAAAAAAAAAAAgAEAAAAAYS5iL21AdjEuMC4wL2' +
    '9uZS50eHRQSwECFAMUAAAAAAAAACEAdAgXlgQAAAAEAAAAFAAAAAAAAAAAAAAAgAE7AAAAYS5iL21AdjEuMC4wL2Jpbi90d29QSwUGAAAAAAIAAgCEA' +
    'AAAcQAAAAAA',
  'base64',
);
const NAMED = { prefix: 'a.b/m@v1.0.0/', sum: 'h1:GGEmDaM/VULBAdzZLPuDphW+GldyOSKEEUVN3FJNS38=' };

function renamed(from: string, to: string): Buffer {
  return Buffer.from(ZIP.toString('latin1').replaceAll(from, to), 'latin1');
}

test('what has the hash is unpacked', () => {
  using folder = new TemporaryFolder();
  unpackModule(ZIP, NAMED, folder.path);
  assert.equal(readFileSync(folder.at('one.txt'), 'utf8'), 'one\n'.repeat(20));
  assert.equal(readFileSync(folder.at('bin', 'two'), 'utf8'), 'two\n');
});

const HOSTILE: readonly (readonly [string, Buffer, RegExp])[] = [
  ['another content', renamed('two\n', 'TWO\n'), /its hash is h1:/],
  ['another name', renamed('bin/two', 'bin/one'), /its hash is h1:/],
  ['a name that leads out', renamed('bin/two', '../../o'), /outside of its folder: a\.b\/m@v1\.0\.0\/\.\.\/\.\.\/o/],
  ['another module', renamed('a.b/m@v1', 'a.b/n@v1'), /outside of its folder/],
  ['cut off', ZIP.subarray(0, -30), /no zip archive/],
  ['empty', Buffer.alloc(0), /no zip archive/],
  ['a broken directory', renamed('PK\x01\x02', 'PK\x01\x03'), /a broken zip archive/],
];

for (const [name, zip, message] of HOSTILE) {
  test(`refused: ${name}`, () => {
    using folder = new TemporaryFolder();
    assert.throws(() => unpackModule(zip, NAMED, folder.at('inside')), message);
    assert.equal(existsSync(folder.at('o')), false);
  });
}
