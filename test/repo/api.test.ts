import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

type ExportTarget = { readonly types: string; readonly default: string };

const packageJson = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, string | ExportTarget>;
};
const subpaths = Object.entries(packageJson.exports).filter(
  (entry): entry is [string, ExportTarget] => typeof entry[1] !== 'string',
);

describe('the public names of', () => {
  it.each(subpaths)('kscope/%s are as recorded', async (subpath, target) => {
    const source = target.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts');
    const names = exportedNames(source).toSorted();
    expect(names.length, `${source} exports something`).toBeGreaterThan(0);
    expect(new Set(names).size, 'no name twice').toBe(names.length);
    const golden = join('..', 'testdata', 'api', `${subpath.slice(2).replaceAll('/', '-')}.txt`);
    await expect(`${names.join('\n')}\n`).toMatchFileSnapshot(golden);
  });
});

/** `value name` and `type name` lines of a module, following its `export *` clauses. */
function exportedNames(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...listedNames(text), ...declaredNames(text), ...starNames(file, text)];
}

function listedNames(text: string): string[] {
  const names: string[] = [];
  for (const [, typeOnly, list] of text.matchAll(/^export (type )?\{([^}]*)\}/gm)) {
    for (const item of list
      .split(',')
      .map((part) => part.trim())
      .filter(Boolean)) {
      const name = item.replace(/^type /, '').replace(/^.* as /, '');
      names.push(typeOnly !== undefined || item.startsWith('type ') ? `type ${name}` : name);
    }
  }
  return names;
}

function declaredNames(text: string): string[] {
  const declaration = /^export (?:declare )?(?:abstract )?(const|function\*?|class|interface|type) (\w+)/gm;
  return [...text.matchAll(declaration)].map(([, kind, name]) =>
    kind === 'interface' || kind === 'type' ? `type ${name}` : name,
  );
}

function starNames(file: string, text: string): string[] {
  return [...text.matchAll(/^export (type )?\* from '(\.[^']*)\.js'/gm)].flatMap(([, typeOnly, path]) => {
    const names = exportedNames(join(dirname(file), `${path}.ts`));
    return typeOnly === undefined ? names : names.map((name) => (name.startsWith('type ') ? name : `type ${name}`));
  });
}
