// Makes what the npm package has in addition to the files here: stormo.global.js, for pages without modules, and the
// licence. npm runs it before it packs.
import {copyFileSync, readFileSync, writeFileSync} from 'node:fs';

const here = name => new URL(name, import.meta.url);

/** The module as one script that sets the global `stormo`: {connect, StormoError}. */
export function asGlobal(module) {
  const names = [];
  const body = module.replace(/^export (?=(?:class|function) (\w+))/gm, (_, name) => {
    names.push(name);
    return '';
  });
  if (names.length === 0 || /^(?:import|export) /m.test(body)) {
    throw new Error('stormo.js has an import, or exports something other than classes and functions');
  }
  const code = body.replace(/^ *\/\/.*\n/gm, '');  // without lines that are comments
  return `// Made of stormo.js.\nvar stormo = (() => {\n'use strict';\n${code}\nreturn {${names.join(', ')}};\n})();\n`;
}

if (process.argv[2] === '--write') {
  writeFileSync(here('stormo.global.js'), asGlobal(readFileSync(here('stormo.js'), 'utf8')));
  copyFileSync(here('../LICENSE'), here('LICENSE'));
}
