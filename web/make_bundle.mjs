// Makes one file of the modules in client/: stormo.js, which is in the repository, and with --package what the npm package
// has in addition, stormo.global.js for pages without modules, and the licence. npm runs that before it packs.
import {copyFileSync, readFileSync, writeFileSync} from 'node:fs';

const here = name => new URL(name, import.meta.url);
const kEntry = 'main.js';
const kImport = /^import \{[^}]*\} from '\.\/(.*)';\n/gm;
const kTopLevel = /^(?:export )?(?:async )?(?:class|function|const|let) (\w+)/gm;

// The names of the modules, each after those that it imports.
function inOrder(read, name = kEntry, names = []) {
  for (const [, imported] of read(name).matchAll(kImport)) inOrder(read, imported, names);
  if (!names.includes(name)) names.push(name);
  return names;
}

/** What the modules declare, in one scope, and the names that the last one exports. `read` returns a module's text. */
export function bundle(read = name => readFileSync(here(`client/${name}`), 'utf8')) {
  const declared = new Map();
  const exported = [];
  let body = '';
  for (const name of inOrder(read)) {
    for (const [, declaration] of read(name).matchAll(kTopLevel)) {
      if (declared.has(declaration)) throw new Error(`${declaration} is in ${declared.get(declaration)} and in ${name}`);
      declared.set(declaration, name);
    }
    const code = read(name).replace(kImport, '').replace(/^export \{(.*)\};\n/gm, (_, names) => {
      if (name === kEntry) exported.push(...names.split(/,\s*/));
      return '';
    }).replace(/^export (?=(?:async )?(?:class|function|const|let) (\w+))/gm, (_, declaration) => {
      if (name === kEntry) exported.push(declaration);
      return '';
    });
    if (/^(?:import|export)\b/m.test(code)) throw new Error(`${name} has an import or export of another form`);
    body += `\n// --- client/${name} ---\n\n${code.trim()}\n`;
  }
  return {body, exported};
}

/** One module with the same exports. */
export function asModule({body, exported}) {
  return `// A client of the server \`stormo\`, for browsers and for Node. It uses stormo.v1 (docs/v1-protocol.md). README.md shows how to
// use it, stormo.d.ts states the contract of each function. make_bundle.mjs has made this file of those in client/.
${body}
export {${exported.join(', ')}};
`;
}

const kModuleScript = "{url: import.meta.url, type: 'module'}";
const kClassicScript = "{url: globalThis.document?.currentScript?.src, type: 'classic'}";

/** One script that sets the global `stormo` to an object with the exports. */
export function asGlobal({body, exported}) {
  const code = body.replace(/^ *\/\/.*\n/gm, '')  // without lines that are comments
    .replaceAll(/\n{3,}/g, '\n\n').replace(kModuleScript, kClassicScript);
  if (code.includes('import.meta')) throw new Error('import.meta has no meaning in a script');
  return `// Made by make_bundle.mjs.\nvar stormo = (() => {\n'use strict';\n${code}\nreturn {${exported.join(', ')}};\n})();\n`;
}

if (process.argv[1] && import.meta.url === new URL(`file://${process.argv[1]}`).href) {
  const made = bundle();
  writeFileSync(here('stormo.js'), asModule(made));
  if (process.argv.includes('--package')) {
    writeFileSync(here('stormo.global.js'), asGlobal(made));
    copyFileSync(here('../LICENSE'), here('LICENSE'));
  }
}
