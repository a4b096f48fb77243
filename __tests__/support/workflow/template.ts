import { readFileSync } from "node:fs";
import { Evaluator, Lexer, Parser, data } from "@actions/expressions";
import {
  convertWorkflowTemplate,
  isBasicExpression,
  isBoolean,
  isMapping,
  isNumber,
  isSequence,
  isString,
  NoOperationTraceWriter,
  parseWorkflow,
} from "@actions/workflow-parser";
import { ErrorPolicy } from "@actions/workflow-parser/model/convert";
import type { MappingToken, TemplateToken } from "@actions/workflow-parser/templates/tokens/index";

/** A value of a workflow file before its expressions are evaluated. */
export type Template = string | number | boolean | null | Expression | readonly Template[] | TemplateMap;
export interface TemplateMap {
  readonly [key: string]: Template;
}

/** What stood in `${{ }}`; text around it has become a call of `format`, as GitHub does it. */
export class Expression {
  readonly source: string;
  constructor(source: string) {
    this.source = source;
  }
}

export interface StepTemplate {
  readonly id: string;
  /** With what GitHub adds: `success() && (…)` unless the condition asks for the status itself. */
  readonly condition: string;
  readonly body: TemplateMap;
}

export interface JobTemplate {
  readonly id: string;
  readonly needs: readonly string[];
  readonly condition: string;
  readonly body: TemplateMap;
  readonly steps: readonly StepTemplate[];
}

export interface WorkflowTemplate {
  readonly body: TemplateMap;
  readonly jobs: readonly JobTemplate[];
}

/** Where the workflow lies that a job calls. */
export type FindCalled = (uses: string) => string;

/** Reads a workflow with GitHub's own parser and schema; whatever these find wrong is thrown, all of it. */
export async function readWorkflow(path: string, findCalled?: FindCalled): Promise<WorkflowTemplate> {
  return await parseText(readFileSync(path, "utf8"), path, findCalled);
}

/** The same for a text that is no file. */
export async function parseText(content: string, name: string, findCalled?: FindCalled): Promise<WorkflowTemplate> {
  const { context, value } = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  const provider = findCalled && {
    getFileContent: async (reference: object) => {
      const called = findCalled(nameReference(reference as unknown as Record<string, string>));
      return { name: called, content: readFileSync(called, "utf8") };
    },
  };
  if (value === undefined) throw new Error(`${name}: ${context.errors.getErrors().map(String).join("\n")}`);
  const template = await convertWorkflowTemplate(context, value, provider, {
    fetchReusableWorkflowDepth: provider === undefined ? 0 : 1,
    errorPolicy: ErrorPolicy.TryConversion,
  });
  const faults = [
    ...context.errors.getErrors().map(({ message }) => message),
    ...(template.errors ?? []).map(({ Message }) => Message),
  ];
  if (faults.length > 0) throw new Error([...new Set(faults)].join("\n"));
  const body = toTemplate(value) as TemplateMap;
  const bodies = body["jobs"] as TemplateMap;
  const jobs = template.jobs.map((job): JobTemplate => {
    const jobBody = bodies[job.id.value] as TemplateMap;
    const stepBodies = (jobBody["steps"] ?? []) as readonly TemplateMap[];
    const steps = job.type === "job" ? job.steps : [];
    return {
      id: job.id.value,
      needs: (job.needs ?? []).map(({ value: need }) => need),
      condition: job.if.expression,
      body: jobBody,
      steps: steps.map((step, index) => ({
        id: step.id,
        condition: step.if?.expression ?? "success()",
        body: stepBodies[index] ?? {},
      })),
    };
  });
  return { body, jobs };
}

function nameReference({ owner, repository, path, version }: Record<string, string>): string {
  return owner === undefined ? `./${path ?? ""}` : `${owner}/${repository ?? ""}/${path ?? ""}@${version ?? ""}`;
}

function toTemplate(token: TemplateToken): Template {
  if (isMapping(token)) return toMap(token);
  if (isSequence(token)) return Array.from({ length: token.count }, (_, index) => toTemplate(token.get(index)));
  if (isBasicExpression(token)) return new Expression(token.expression);
  if (isString(token) || isNumber(token) || isBoolean(token)) return token.value;
  return null;
}

function toMap(token: MappingToken): TemplateMap {
  return Object.fromEntries(
    Array.from({ length: token.count }, (_, index) => {
      const { key, value } = token.get(index);
      return [String(key), toTemplate(value)];
    }),
  );
}

/** What of the steps or jobs before decides `success()` and its like. */
export interface Status {
  readonly failed: boolean;
  readonly cancelled: boolean;
}

/** Everything an expression can see: `github`, `inputs`, `needs`, `steps` … */
export type Contexts = Readonly<Record<string, unknown>>;

/** Evaluates one expression with GitHub's own evaluator. A context that is not there is a fault of the workflow. */
function evaluate(source: string, contexts: Contexts, status: Status): unknown {
  const flags = {
    always: true,
    success: !status.failed && !status.cancelled,
    failure: status.failed && !status.cancelled,
    cancelled: status.cancelled,
  };
  const functions = Object.entries(flags).map(([name, value]) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(value),
  }));
  const { tokens } = new Lexer(source).lex();
  const parsed = new Parser(tokens, Object.keys(contexts), functions).parse();
  const values = JSON.parse(JSON.stringify(contexts), data.reviver) as data.Dictionary;
  const named = new Map(functions.map((each) => [each.name, each]));
  const result = new Evaluator(parsed, values, named).evaluate();
  return JSON.parse(JSON.stringify(result, data.replacer)) as unknown;
}

/** A condition's verdict, as GitHub takes a value for true. */
export function holds(condition: string, contexts: Contexts, status: Status): boolean {
  return evaluate(`(${condition}) && true || false`, contexts, status) === true;
}

/** Fills in a template; a scalar becomes the text that a runner would hand on. */
export function fill(template: Template, contexts: Contexts, status: Status): unknown {
  if (template instanceof Expression) return evaluate(template.source, contexts, status);
  if (Array.isArray(template)) return template.map((each: Template) => fill(each, contexts, status));
  if (typeof template === "object" && template !== null)
    return Object.fromEntries(Object.entries(template).map(([key, each]) => [key, fill(each, contexts, status)]));
  return template;
}

/** The same for a map of texts: `env`, `with`, `outputs`. */
export function fillTexts(template: Template | undefined, contexts: Contexts, status: Status): Record<string, string> {
  const filled = fill(template ?? {}, contexts, status) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(filled).map(([name, value]) => [name, toText(value)]));
}

export function toText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
