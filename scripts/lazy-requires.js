// What TypeScript compiled to CommonJS requires at its top whatever any of its functions may need.
import ts from 'typescript';
import { editText } from './edit-text.js';

/** The text of a module in which each `const name_1 = require("…")` at its top is a function, which every use of the name calls. */
export function deferRequires(text) {
  const source = ts.createSourceFile('module.js', text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);
  const required = source.statements.flatMap((statement) => requireOf(statement) ?? []);
  const uses = usesOf(source, new Set(required.map(({ name }) => name)));
  const edits = required
    .filter(({ name }) => uses.get(name)?.every(isObject) === true)
    .flatMap(({ name, statement, value }) => [
      {
        from: statement.getStart(source),
        to: statement.getEnd(),
        text: `let ${name}$; function ${name}() { return ${name}$ ??= ${value}; }`,
      },
      // In brackets, for `new name_1.Class()`.
      ...uses.get(name).map((use) => ({ from: use.getStart(source), to: use.getEnd(), text: `(${name}())` })),
    ]);
  return editText(text, edits);
}

/** Only the names that TypeScript makes: nothing assigns to them, and nothing else is called so. */
function requireOf(statement) {
  if (!ts.isVariableStatement(statement)) return undefined;
  const [{ name, initializer }, ...others] = statement.declarationList.declarations;
  if (others.length > 0 || !ts.isIdentifier(name) || !/_\d+$/.test(name.text)) return undefined;
  return isRequire(initializer) ? { name: name.text, statement, value: initializer.getText() } : undefined;
}

/** `require("…")`, or that within a helper of TypeScript: `__importDefault(require("…"))`. */
function isRequire(node) {
  if (node === undefined || !ts.isCallExpression(node) || !ts.isIdentifier(node.expression)) return false;
  if (node.expression.text === 'require') return ts.isStringLiteral(node.arguments[0]);
  return /^__import(Default|Star)$/.test(node.expression.text) && isRequire(node.arguments[0]);
}

/** Every place of each name but its declaration. */
function usesOf(source, names) {
  const uses = new Map([...names].map((name) => [name, []]));
  const visit = (node) => {
    if (ts.isIdentifier(node) && !ts.isVariableDeclaration(node.parent)) uses.get(node.text)?.push(node);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return uses;
}

/** `name_1.member`: TypeScript writes no other use of a module. */
const isObject = (use) => ts.isPropertyAccessExpression(use.parent) && use.parent.expression === use;
