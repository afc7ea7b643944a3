import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseImageUser, resolveUser, type RunAs, type RunAsRequest } from '#runtime/image/image-user.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

const PASSWD =
  'root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:1000:2000::/home/app:/bin/sh\nhuge:x:99999999999:1::/:\nnum:x:7:8::/num:\n';
const GROUP = 'root:x:0:\nstaff:x:50:app,other\napp:x:2000:app\nextra:x:60:app\nextra2:x:60:app\n';

function inRoot<T>(files: Record<string, string>, use: (root: string) => T): T {
  using folder = new TemporaryFolder();
  mkdirSync(folder.at('etc'));
  for (const [name, text] of Object.entries(files)) writeFileSync(folder.at(name), text);
  return use(folder.path);
}

const FILES = { 'etc/passwd': PASSWD, 'etc/group': GROUP };
const APP: RunAs = { uid: 1000, gid: 2000, additionalGids: [50, 60], home: '/home/app', name: 'app' };

const CASES: readonly [what: string, request: RunAsRequest, expected: Partial<RunAs>][] = [
  ['nobody means root', { user: '' }, { uid: 0, gid: 0, home: '/root', additionalGids: [] }],
  ['a name', { user: 'app' }, APP],
  ['a number that has a name', { user: '1000' }, APP],
  ['a number that has none', { user: '4711' }, { uid: 4711, gid: 0, home: '/', name: undefined, additionalGids: [] }],
  ['a group by name', { user: 'app:staff' }, { uid: 1000, gid: 50, additionalGids: [2000, 60] }],
  ['a group by number', { user: '1000:4712' }, { uid: 1000, gid: 4712 }],
  ['runAsUser overrides user and group', { user: 'root:staff', runAsUser: 1000 }, APP],
  ['runAsGroup', { user: 'app:staff', runAsGroup: 99 }, { uid: 1000, gid: 99 }],
  ['runAsUser without an account', { user: 'app', runAsUser: 5 }, { uid: 5, gid: 0, name: undefined }],
];

for (const [what, request, expected] of CASES) {
  test(what, () => {
    const found = inRoot(FILES, (root) => resolveUser(root, request));
    assert.deepEqual({ ...found, ...expected }, found);
  });
}

test('who is not there', () => {
  const resolve = (user: string) => inRoot(FILES, (root) => resolveUser(root, { user }));
  assert.throws(() => resolve('nobody'), { message: 'unable to find user nobody: no matching entries in passwd file' });
  assert.throws(() => resolve('huge'), /unable to find user huge/);
  assert.throws(() => resolve('app:none'), { message: 'unable to find group none: no matching entries in group file' });
});

test('an image without these files has numbers only', () => {
  inRoot({}, (root) => {
    assert.deepEqual(resolveUser(root, { user: '65532:65533' }), {
      uid: 65532,
      gid: 65533,
      additionalGids: [],
      home: '/',
      name: undefined,
    });
    assert.throws(() => resolveUser(root, { user: 'app' }), /unable to find user app/);
  });
});

test('links do not lead out of the image', () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.at('root/etc'), { recursive: true });
  mkdirSync(folder.at('root/inside'));
  writeFileSync(folder.at('outside'), PASSWD);
  writeFileSync(folder.at('root/inside/passwd'), 'inner:x:3:4::/:\n');
  symlinkSync(folder.at('outside'), folder.at('root/etc/passwd'));
  assert.throws(() => resolveUser(folder.at('root'), { user: 'app' }), /unable to find user app/);
  rmSync(folder.at('root/etc/passwd'));
  symlinkSync('/inside/passwd', folder.at('root/etc/passwd'));
  assert.equal(resolveUser(folder.at('root'), { user: 'inner' }).uid, 3);
});

test('what is no plain file is not read, and nothing waits for it', () => {
  using folder = new TemporaryFolder();
  mkdirSync(folder.at('etc/group'), { recursive: true });
  execFileSync('mkfifo', [folder.at('etc/passwd')]);
  assert.equal(resolveUser(folder.path, { user: '5' }).uid, 5);
});

test('a file of millions of accounts is refused', () => {
  const passwd = 'a:x:1:1::/:\n'.repeat(400_000);
  inRoot({ 'etc/passwd': passwd }, (root) =>
    assert.throws(() => resolveUser(root, { user: 'a' }), { code: 'LimitExceeded' }),
  );
});

test('USER taken apart without the image', () => {
  assert.deepEqual(['', '0', '5:6', 'app', 'app:g', '99999999999'].map(parseImageUser), [
    { uid: 0, group: '' },
    { uid: 0, group: '' },
    { uid: 5, group: '6' },
    { name: 'app', group: '' },
    { name: 'app', group: 'g' },
    { name: '99999999999', group: '' },
  ]);
});
