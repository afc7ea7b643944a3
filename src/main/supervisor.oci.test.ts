import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { processCommand } from '#main/launch/command.ts';
import { type PlatformSettings, statePaths } from '#protocol/platform.ts';
import { unmountRunFolder } from '#supervisor/run-folder.ts';
import { boundAddress, listenTcp } from '#sys/socket.ts';

test('a supervisor that cannot start leaves its reason in a file and exits with 1', async () => {
  const stateDir = mkdtempSync(path.join(tmpdir(), 'pinnace-main-'));
  const paths = statePaths(stateDir);
  const taken = listenTcp({ address: '127.0.0.1', port: 0 });
  const settings: PlatformSettings = {
    stateDir,
    instance: 'test',
    listenAddress: '127.0.0.1',
    localAddress: '127.0.0.1',
    apiPort: 0,
    httpPort: boundAddress(taken)?.port ?? 0,
    httpsPort: 0,
    manageHosts: false,
    podCidr: '198.18.0.0/20',
    serviceCidr: '198.18.16.0/20',
    bridge: 'none',
    cgroup: 'none',
    logLevel: 'error',
  };
  writeFileSync(paths.config, JSON.stringify(settings));
  const { file, args, env } = processCommand('supervisor', stateDir);
  const child = spawn(file, args, { env: { ...env }, stdio: ['ignore', 'inherit', 'pipe'] });
  const [[output], [exitCode]] = await Promise.all([once(child.stderr, 'data'), once(child, 'exit')]);
  assert.equal(exitCode, 1);
  const failure = JSON.parse(readFileSync(paths.startFailure, 'utf8')) as { message: string; cure: string };
  assert.match(failure.message, new RegExp(`^port ${settings.httpPort} on 127.0.0.1, wanted for http, is taken by`));
  assert.match(failure.cure, /--http-port/);
  assert.ok(String(output).includes(JSON.stringify(failure.message)));
  assert.ok(!existsSync(paths.platformState));
  closeSync(taken);
  unmountRunFolder(paths.run);
  rmSync(stateDir, { recursive: true });
});
