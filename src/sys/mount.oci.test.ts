import assert from 'node:assert/strict';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { openBeneath, ownAt } from '#sys/directory.ts';
import { mknod } from '#sys/fs.ts';
import { bindMount, mount, mountOverlay, MS_NOEXEC, MS_RDONLY, unmount } from '#sys/mount.ts';
import { mountsBelow, unmountBelow } from '#sys/mounts.ts';
import { getXattr, setXattr } from '#sys/xattr.ts';
import { closeSync, constants, openSync } from 'node:fs';

const folder = mkdtempSync(path.join(tmpdir(), 'pinnace-mount-'));
after(() => {
  unmountBelow(folder);
  rmSync(folder, { recursive: true, force: true });
});
const at = (...parts: string[]) => path.join(folder, ...parts);
function made(...parts: string[]): string {
  mkdirSync(at(...parts), { recursive: true });
  return at(...parts);
}

test('layers lie over each other, the first on top, and writes go to the upper one', () => {
  const lower = ['a', 'b,with:odd\\name'].map((name) => made('lower', name));
  lower.forEach((layer, index) => {
    writeFileSync(path.join(layer, 'both'), `layer ${index}`);
    writeFileSync(path.join(layer, `only${index}`), '');
  });
  const [target, upper, work] = [made('merged'), made('upper'), made('work')];
  mountOverlay({ target, lower, upper, work });
  assert.equal(readFileSync(path.join(target, 'both'), 'utf8'), 'layer 0');
  assert.ok(existsSync(path.join(target, 'only1')));
  writeFileSync(path.join(target, 'new'), '');
  rmSync(path.join(target, 'only1'));
  assert.ok(existsSync(path.join(upper, 'new')));
  assert.ok(lstatSync(path.join(upper, 'only1')).isCharacterDevice());
  assert.equal(unmount(target), true);
  assert.equal(unmount(target), false);
});

test('more layers than fit one page of options are mounted', () => {
  const lower = Array.from({ length: 60 }, (_, index) => made('many', `${'x'.repeat(100)}${index}`));
  lower.forEach((layer, index) => writeFileSync(path.join(layer, `file${index}`), ''));
  const target = made('many-merged');
  mountOverlay({ target, lower, upper: made('many-upper'), work: made('many-work'), flags: MS_NOEXEC });
  assert.ok(existsSync(path.join(target, 'file0')) && existsSync(path.join(target, 'file59')));
  assert.ok(mountsBelow(target)[0]?.options.includes('noexec'));
  assert.equal(unmountBelow(target), 1);
});

test('an overlay of layers that are not there says which', () => {
  const target = made('none');
  assert.throws(() => mountOverlay({ target, lower: ['/nowhere'] }), { code: 'ENOENT', path: target });
});

test('a bind mount can be read-only, and everything below a folder is unmounted', () => {
  const [source, target] = [made('source'), made('target')];
  mount({ source: 'tmpfs', target: source, type: 'tmpfs', options: 'size=1m,mode=700' });
  bindMount(source, target, { flags: MS_RDONLY });
  writeFileSync(path.join(source, 'x'), 'shown');
  assert.equal(readFileSync(path.join(target, 'x'), 'utf8'), 'shown');
  assert.throws(() => writeFileSync(path.join(target, 'y'), ''), { code: 'EROFS' });
  assert.equal(mountsBelow(folder).length, 2);
  assert.equal(unmountBelow(folder), 2);
  assert.equal(mountsBelow(folder).length, 0);
});

test('device nodes, owners and extended attributes', () => {
  mknod(at('null'), 0o666, { kind: 'character', major: 1, minor: 3 });
  const device = lstatSync(at('null'));
  assert.ok(device.isCharacterDevice());
  assert.equal(device.rdev, 0x103);

  symlinkSync('/nowhere', at('link'));
  const dirfd = openSync(folder, constants.O_RDONLY);
  ownAt(dirfd, 'link', { uid: 12, gid: 34 });
  assert.deepEqual([lstatSync(at('link')).uid, lstatSync(at('link')).gid], [12, 34]);

  writeFileSync(at('file'), '');
  setXattr(at('file'), 'user.empty', Buffer.alloc(0));
  const file = openBeneath(dirfd, 'file', { flags: constants.O_RDONLY });
  setXattr(file, 'trusted.test', Buffer.from([1, 0, 255]));
  assert.deepEqual(getXattr(at('file'), 'trusted.test'), Buffer.from([1, 0, 255]));
  assert.deepEqual(getXattr(file, 'user.empty'), Buffer.alloc(0));
  assert.equal(getXattr(at('file'), 'user.absent'), undefined);
  assert.throws(() => getXattr(at('gone'), 'user.x'), { code: 'ENOENT', path: at('gone') });
  closeSync(file);
  closeSync(dirfd);
});
