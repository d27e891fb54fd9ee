// esbuild makes `var` of every top-level `const` that it bundles. V8 knows the value of a constant and not that of a variable: without
// this, the loops over packets and sockets take a quarter longer.
import ts from 'typescript';
import { editText } from './edit-text.js';

/** The text of a module with `const` in place of `var` at its top, for all that nothing assigns to again. */
export function keepConsts(text) {
  const source = ts.createSourceFile('chunk.js', text, ts.ScriptTarget.ES2022, false, ts.ScriptKind.JS);
  const assigned = assignedNames(source);
  const edits = source.statements
    .filter((statement) => isConstant(statement, assigned))
    .map((statement) => statement.getStart(source))
    .map((from) => ({ from, to: from + 'var'.length, text: 'const' }));
  return editText(text, edits);
}

function isConstant(statement, assigned) {
  if (
    !ts.isVariableStatement(statement) ||
    (statement.declarationList.flags & ts.NodeFlags.BlockScoped) !== 0
  )
    return false;
  return statement.declarationList.declarations.every(
    ({ name, initializer }) => initializer !== undefined && ts.isIdentifier(name) && !assigned.has(name.text),
  );
}

/** Names that something is assigned to, wherever they stand: one that only shadows stays a variable, which does no harm. */
export function assignedNames(source) {
  const names = new Set();
  const addTarget = (node) => {
    if (ts.isIdentifier(node)) names.add(node.text);
    else ts.forEachChild(node, addTarget);
  };
  const visit = (node) => {
    const isAssignment =
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
      node.operatorToken.kind <= ts.SyntaxKind.LastAssignment;
    if (isAssignment) addTarget(node.left);
    const isStep =
      (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) &&
      (node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken);
    if (isStep) addTarget(node.operand);
    const isLoop = ts.isForInStatement(node) || ts.isForOfStatement(node);
    if (isLoop && !ts.isVariableDeclarationList(node.initializer)) addTarget(node.initializer);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return names;
}
