// Makes CommonJS of the modules that esbuild wrote. Node reads and links modules of ES one promise after the other, and asks its own
// packages for all that they export: a command that is over in a tenth of a second spends a third of it there. esbuild itself splits only
// modules of ES, and its way to make CommonJS of one asks an object at each use of what was imported, which hot loops feel.
import ts from 'typescript';
import { editText } from './edit-text.js';
import { assignedNames } from './keep-consts.js';

/**
 * The text of a module of ES, as esbuild bundles them, as CommonJS; `isShared`: other modules import it when they are loaded. Throws where
 * it would not be the same.
 */
export function toCommonJs(text, { file, isShared }) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2022, true, ts.ScriptKind.JS);
  const edits = [];
  const replace = (node, by) => edits.push({ from: node.getStart(source), to: node.getEnd(), text: by });
  const visit = (node) => {
    if (ts.isImportDeclaration(node)) replace(node, requireFor(node));
    // So esbuild gives on what a package of CommonJS exports.
    else if (ts.isExportAssignment(node)) replace(node, `module.exports = ${node.expression.getText()};`);
    else if (ts.isExportDeclaration(node)) replace(node, exportsFor(node, source, isShared));
    else if (isOwnImport(node))
      replace(node, `Promise.resolve().then(() => require(${node.arguments[0].getText()}))`);
    else if (isMetaUrl(node)) replace(node, "require('node:url').pathToFileURL(__filename).href");
    else if (node.kind === ts.SyntaxKind.ExportKeyword || ts.isMetaProperty(node))
      throw notUnderstood(source, node);
    else ts.forEachChild(node, visit);
  };
  visit(source);
  const made = editText(text, edits);
  return `'use strict';\n${waits(source) ? `(async () => {\n${made}\n})();\n` : made}`;
}

/** Whether a module waits at its top. Such a one exports nothing: it is what a thread runs. */
function waits(source) {
  const find = (node) =>
    ts.isAwaitExpression(node) ||
    (ts.isForOfStatement(node) && node.awaitModifier !== undefined) ||
    (!ts.isFunctionLike(node) && ts.forEachChild(node, find) === true);
  const exporting = source.statements.find(ts.isExportDeclaration);
  const isWaiting = find(source);
  if (isWaiting && exporting !== undefined) throw notUnderstood(source, exporting);
  return isWaiting;
}

const notUnderstood = ({ fileName }, node) =>
  new Error(`${fileName}: cannot make CommonJS of ${node.getText()}`);

function requireFor({ importClause: clause, moduleSpecifier }) {
  const module = `require(${moduleSpecifier.getText()})`;
  if (clause === undefined) return `${module};`;
  const bound = [];
  // Of a package of CommonJS Node gives what it exports as the default.
  if (clause.name !== undefined)
    bound.push(isOwn(moduleSpecifier) ? `{ default: ${clause.name.text} }` : clause.name.text);
  if (clause.namedBindings !== undefined)
    bound.push(
      ts.isNamespaceImport(clause.namedBindings)
        ? clause.namedBindings.name.text
        : `{ ${clause.namedBindings.elements.map((element) => pair(localOf(element), element.name.text)).join(', ')} }`,
    );
  return `const ${bound.map((names) => `${names} = ${module}`).join(', ')};`;
}

/** The last statement of a file of esbuild. Importers take values, not names: nothing that they take may be assigned to later. */
function exportsFor(node, source, isShared) {
  const { exportClause, moduleSpecifier } = node;
  if (moduleSpecifier !== undefined || exportClause === undefined) throw notUnderstood(source, node);
  const assigned = assignedNames(source);
  const changing = (element) => assigned.has(localOf(element));
  if (isShared && exportClause.elements.some(changing)) throw notUnderstood(source, node);
  const exported = exportClause.elements.map((element) =>
    changing(element)
      ? `get ${element.name.text}() { return ${localOf(element)}; }`
      : pair(element.name.text, localOf(element)),
  );
  return `module.exports = { ${exported.join(', ')} };`;
}

const localOf = ({ name, propertyName = name }) => propertyName.text;

const pair = (key, value) => (key === value ? key : `${key}: ${value}`);

const isOwn = (specifier) => ts.isStringLiteral(specifier) && specifier.text.startsWith('.');

const isOwnImport = (node) =>
  ts.isCallExpression(node) &&
  node.expression.kind === ts.SyntaxKind.ImportKeyword &&
  isOwn(node.arguments[0]);

const isMetaUrl = (node) =>
  ts.isPropertyAccessExpression(node) && ts.isMetaProperty(node.expression) && node.name.text === 'url';
