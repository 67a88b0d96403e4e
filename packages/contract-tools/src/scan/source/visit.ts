import type { Expression, Statement } from "./syntax.ts";

/** Visits a statement and all inside it, outermost first. */
export function visitStatements(
  statement: Statement | null,
  visit: (statement: Statement) => void,
): void {
  if (statement === null) return;
  visit(statement);
  if (statement.type === "block") {
    for (const each of statement.statements) visitStatements(each, visit);
  } else if (statement.type === "if") {
    visitStatements(statement.whenTrue, visit);
    visitStatements(statement.whenFalse, visit);
  } else if (statement.type === "loop") {
    visitStatements(statement.initializer, visit);
    visitStatements(statement.body, visit);
  } else if (statement.type === "switch") {
    for (const { statements } of statement.cases) {
      for (const each of statements) visitStatements(each, visit);
    }
  }
}

/** The expressions that stand directly in a statement. */
export function expressionsOf(statement: Statement): readonly Expression[] {
  switch (statement.type) {
    case "expression":
      return [statement.expression];
    case "variables":
      return statement.variables.flatMap(({ initializer }) => initializer ?? []);
    case "if":
      return [statement.condition];
    case "loop":
      return [statement.condition, statement.step].flatMap((each) => each ?? []);
    case "switch":
      return [statement.value, ...statement.cases.flatMap(({ label }) => label ?? [])];
    case "return":
      return statement.value === null ? [] : [statement.value];
    case "throw":
      return [statement.value];
    default:
      return [];
  }
}

/** The expressions directly inside another. */
export function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.type) {
    case "list":
      return expression.items;
    case "member":
      return [expression.object];
    case "index":
      return [expression.object, expression.index];
    case "call":
      return expression.callee.type === "member"
        ? [expression.callee.object, ...expression.args]
        : expression.callee.type === "name"
          ? expression.args
          : [expression.callee, ...expression.args];
    case "new":
      return expression.args;
    case "binary":
      return [expression.left, expression.right];
    case "unary":
    case "cast":
      return [expression.operand];
    case "choice":
      return [expression.condition, expression.whenTrue, expression.whenFalse];
    case "other":
      return expression.parts;
    default:
      return [];
  }
}

/** Visits an expression and all inside it, outermost first. */
export function visitExpression(
  expression: Expression,
  visit: (expression: Expression) => void,
): void {
  visit(expression);
  for (const part of partsOf(expression)) visitExpression(part, visit);
}

/** Visits every expression of a body. */
export function visitBody(
  body: Statement | null,
  visit: (expression: Expression, statement: Statement) => void,
): void {
  visitStatements(body, (statement) => {
    for (const top of expressionsOf(statement)) {
      visitExpression(top, (each) => visit(each, statement));
    }
  });
}
