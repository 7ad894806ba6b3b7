// The npm package: its files, its two forms, and its types.
import assert from 'node:assert/strict';
import {execFileSync, spawnSync} from 'node:child_process';
import {mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {tmpdir} from 'node:os';
import {dirname, join} from 'node:path';
import {test} from 'node:test';
import {fileURLToPath} from 'node:url';
import vm from 'node:vm';

import {asGlobal, asModule, bundle} from '../../web/make_bundle.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const web = join(root, 'web');
const textOf = path => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(textOf('web/package.json'));

function withFolder(use) {
  const folder = mkdtempSync(join(tmpdir(), 'stormo-npm-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, {recursive: true});
  }
}

test('the package has the version of the server', () => {
  assert.equal(manifest.version, /STORMO_VERSION "(.*)"/.exec(textOf('include/stormo/version.h'))[1]);
});

test('npm pack contains the client, its types, both forms and the licence, and nothing else', () => {
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json'], {cwd: web, encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore']}));
  assert.deepEqual(packed.files.map(file => file.path).sort(),
    ['LICENSE', 'README.md', 'package.json', 'stormo.d.ts', 'stormo.global.js', 'stormo.js']);
  for (const path of [manifest.main, manifest.types, manifest.unpkg]) {
    assert.ok(packed.files.some(file => './' + file.path === path), path);
  }
});

test('an installed package is imported by its name', () => {
  withFolder(folder => {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(web, join(folder, 'node_modules/stormo'));
    writeFileSync(join(folder, 'use.mjs'), `import {connect, StormoError} from 'stormo';
      console.log(typeof connect, new StormoError('closed', 'x').code);`);
    assert.equal(execFileSync('node', ['--preserve-symlinks', join(folder, 'use.mjs')], {encoding: 'utf8'}),
      'function closed\n');
  });
});

test('stormo.js is what make_bundle.mjs makes of client/', () => {
  assert.ok(asModule(bundle()) === textOf('web/stormo.js'), 'run: node web/make_bundle.mjs');
});

test('a page without modules has the global stormo', () => {
  const opened = [];
  class WebSocket {
    constructor(...args) { opened.push(args); }
    close() {}
  }
  const page = vm.createContext({WebSocket, setTimeout, clearTimeout, crypto: globalThis.crypto});
  vm.runInContext(asGlobal(bundle()), page);
  assert.deepEqual(vm.runInContext('Object.keys(stormo).sort().join()', page), 'StormoError,connect');
  vm.runInContext(`const client = stormo.connect('ws://127.0.0.1:1/'); client.close();`, page);
  assert.deepEqual(opened, [['ws://127.0.0.1:1/', 'stormo.v1']]);
});

test('modules that do not fit into one scope are rejected', () => {
  const bundled = modules => () => bundle(name => modules[name]);
  assert.throws(bundled({'main.js': "import x from 'y';\n"}), /import or export of another form/);
  assert.throws(bundled({'main.js': "import {b} from './b.js';\nconst a = b;\n", 'b.js': 'const a = 1;\nexport const b = a;\n'}),
    /a is in b.js and in main.js/);
});

test('TypeScript accepts correct uses and rejects wrong ones', {skip: skipWithoutTypeScript()}, () => {
  withFolder(folder => {
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(web, join(folder, 'node_modules/stormo'));
    writeFileSync(join(folder, 'use.ts'), textOf('tests/web/stormo_types.ts'));
    for (const [module, resolution] of [['nodenext', 'nodenext'], ['esnext', 'bundler']]) {
      const {status, stdout} = spawnSync('node', [compiler(), '--noEmit', '--strict', '--target', 'es2022',
        '--lib', 'es2022,dom', '--module', module, '--moduleResolution', resolution, 'use.ts'],
        {cwd: folder, encoding: 'utf8'});
      assert.equal(status, 0, stdout);
    }
  });
});

function compiler() {
  const require = createRequire(join(root, 'tests/browser/package.json'));
  return join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
}

/** The tests of web/ also run alone, without the packages of tests/browser. */
function skipWithoutTypeScript() {
  try {
    compiler();
    return false;
  } catch {
    return process.env.CI ? false : 'typescript is not installed (npm ci in tests/browser)';
  }
}
