import{t as e}from"./chunk-workplace.js";import{n as t,r as n}from"./chunk-result.js";import{L as r,P as i,at as a}from"./chunk-saved-run-files.js";import{t as o}from"./chunk-run-stop.js";import{a as s}from"./chunk-validation-commands.js";import{Tn as c}from"./chunk-saved-run.js";import{i as l,r as u}from"./chunk-answer.js";import{t as d}from"./chunk-gate3.js";import{t as f}from"./chunk-resume2.js";import{t as p}from"./chunk-run3.js";import{t as m}from"./chunk-verify.js";import{dirname as h,join as g,resolve as _}from"node:path";import{tmpdir as v}from"node:os";import{chmod as y,mkdir as b,mkdtemp as x,readdir as S,rm as C,writeFile as w}from"node:fs/promises";async function T(e,o){let s=o.keep??await x(g(v(),`conveyor-demo-`));if(a(s),(await S(s)).length>0)return t(`expected a new or empty folder, found files in ${s}`);for(let[t,n]of Object.entries(e))await b(h(g(s,t)),{recursive:!0}),await w(g(s,t),n),n.startsWith(`#!`)&&await y(g(s,t),493);let c=g(s,`.git`),l=i({gitDir:c,workTree:s,searchPath:o.searchPath,env:{GIT_AUTHOR_NAME:`Plan Conveyor demo`,GIT_AUTHOR_EMAIL:`demo@noreply.invalid`,GIT_COMMITTER_NAME:`Plan Conveyor demo`,GIT_COMMITTER_EMAIL:`demo@noreply.invalid`}}),u=async(e,...t)=>(await r(l,e,t)).stdout.toString(`utf8`).trim();return await u(`init`,`--quiet`,`--template=`,`--initial-branch=main`),await u(`add`,`--all`,`--`,`.`),await u(`update-ref`,`refs/heads/main`,await u(`commit-tree`,await u(`write-tree`),`-m`,`A small repository with a plan`)),n({path:s,remove:()=>C(s,{recursive:!0,force:!0})})}const E={makeDemoRepository:T},D=`docs/exec-plans/active/greeting.md`;function O(e){return{"README.md":`# A small package

It greets.
`,"package.json":`${JSON.stringify({name:`greeting`,version:`1.0.0`,type:`module`,private:!0},null,2)}\n`,"src/greet.js":`export const greet = () => "hello";
`,".github/conveyor.yml":[`version: 1`,`executor: {use: command, command: [${JSON.stringify(e)}, tools/executor.mjs]}`,`audits:`,`  lanes:`,`    - {name: careful, use: command, command: [${JSON.stringify(e)}, tools/auditor.mjs]}`,`    - {name: quick, use: command, command: [${JSON.stringify(e)}, tools/auditor.mjs]}`,`validation: {commands: [[${JSON.stringify(e)}, --test]]}`,``].join(`
`),"tools/executor.mjs":A,"tools/auditor.mjs":k,[D]:j(e)}}const k=`import { existsSync, readFileSync, writeFileSync } from "node:fs";

const env = process.env;
const source = existsSync("src/greet.js") ? readFileSync("src/greet.js", "utf8") : "";
const found = env.ORCH_LANE === "careful" && env.ORCH_ITEM_ID === "01" && !source.startsWith("/**");
const finding = {
  id: "1",
  title: "greet does not say what it does",
  severity: "medium",
  category: "documentation",
  confidence: "high",
  file_paths: ["src/greet.js"],
  evidence: [source.split("\\n")[0]],
  why_it_matters: "Whoever calls it has to read its body.",
  recommended_action: "Add a doc comment.",
  is_blocking: true,
};
writeFileSync(
  env.ORCH_RESULT_PATH,
  JSON.stringify({
    schema_version: "conveyor.audit_report.v1",
    lane: env.ORCH_LANE,
    item_id: env.ORCH_ITEM_ID,
    attempt: Number(env.ORCH_ATTEMPT),
    packet_sha256: env.ORCH_PACKET_SHA256,
    nonce: env.ORCH_NONCE,
    verdict: found ? "issues_found" : "pass",
    summary: found ? "One thing is missing." : "It does what the item asks for.",
    limitations: [],
    findings: found ? [finding] : [],
  }),
);
`,A=`import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const { ORCH_ITEM_ID: item, ORCH_STAGE: stage, ORCH_FINDINGS_PATH: findings } = process.env;
const test = \`import assert from "node:assert/strict";
import { test } from "node:test";
import { greet } from "../src/greet.js";

test("greets by name", () => assert.equal(greet("Ada"), "hello, Ada"));
test("greets without a name", () => assert.equal(greet(), "hello"));
\`;

if (item === "01") {
  mkdirSync("test", { recursive: true });
  writeFileSync("test/greet.test.js", test);
  if (stage === "fix") console.log("mending:", readFileSync(findings, "utf8"));
  const body = 'export const greet = (name) => (name === undefined ? "hello" : \`hello, \${name}\`);\\n';
  writeFileSync("src/greet.js", stage === "fix" ? "/** Greets by name, or everybody. */\\n" + body : body);
} else {
  mkdirSync("docs", { recursive: true });
  writeFileSync("docs/greeting.md", "# Greeting\\n\\n\`greet(name)\` greets by name, \`greet()\` greets everybody.\\n");
}
`;function j(e){let t=`'${e.replaceAll(`'`,`'\\''`)}'`,n=[`step_id`,`phase`,`action`,`why_now`,`owner_type`,`prerequisites`,`repo_surfaces`,`deliverable`,`exit_criteria`,`allowed_write_roots`,`requires_red_green`,`required_verification_commands`,`manual_gate`],r=[[`01`,`build`,`Greet by name`,`Users have names`,`executor`,`none`,`src/greet.js`,`src/greet.js; test/greet.test.js`,`greet takes a name and still works without one`,`src; test`,`no`,`\`${t} --test\``,`none`],[`02`,`document`,`Describe the greeting`,`The change is visible to users`,`executor`,`01`,`README.md`,`docs/greeting.md`,`the document names both ways to call it`,`docs/greeting.md`,`no`,"`grep -q 'greet()' docs/greeting.md`",`signoff`]],i=e=>`| ${e.join(` | `)} |`;return[`# Greeting by name`,``,`## 1. Context`,``,`The package greets the world. It shall greet people.`,``,`## Metadata`,``,`- Plan-ID: greeting`,`- Status: queued`,`- Risk-Tier: low`,``,`## 2. Items`,``,i(n),i(n.map(()=>`---`)),...r.map(i),``].join(`
`)}async function M(t,n){let r=n.keep===void 0?void 0:_(t.cwd,n.keep),i=await E.makeDemoRepository(O(process.execPath),{keep:r,searchPath:t.env.PATH??``});if(!i.ok)return u(t,`USAGE`,`--keep: ${i.error}`);let a=i.value,s={...t,cwd:a.path};try{n.quiet!==!0&&P(t,a.path);let i=await e(a.path,t.env);if(!i.ok)return u(t,`USAGE`,i.error.message);let c=await p(s,D,{policyStatus:`allow`,ciStatus:`success`,reviewStatus:`approved`,quiet:n.quiet??!1,format:`text`});if(c!==o.blocked)return c===o.done?o.failed:c;let l=await N(s,n.quiet??!1);if(l!==o.done)return l;let d=await m(s,void 0,{format:`text`});return d===o.done&&n.quiet!==!0&&await F(s,r),d}finally{r===void 0&&await a.remove()}}async function N(e,t){let n=await l(e,void 0);if(typeof n==`number`)return n;let{runId:r}=n.run.state;t||e.note(e.style(`bold`,`
Item 02 asks for a sign-off. The demo plays the person and approves it.`));let i={...e,env:{...e.env,GITHUB_ACTIONS:void 0}},a=await d(`approved`)(i,r,`02`,{by:`demo`,note:`read the document`});return a===o.done?f(e,r,{policyStatus:`allow`,ciStatus:`success`,reviewStatus:`approved`,quiet:t,format:`text`}):a}function P(e,t){e.note(e.style(`bold`,`A repository with a plan of two items, in ${t}`)),e.note(`A scripted executor stands in for a coding agent, two scripted auditors for reviewers. The first try at item 01
passes its commands, but one auditor finds something missing, and a fix round mends it. Item 02 waits for a
person's sign-off. The three gates are given on the command line.
`)}async function F(e,t){if(t===void 0)return e.note(`
The repository is removed again; see all of it with: conveyor demo --keep DIR`);let n=await l(e,void 0),r=typeof n==`number`?c:`${n.runFolder}/${c}`;return e.note([`
Open the report in a browser:`,`  ${s(r)}`,`Look around:`,`  cd ${s(t)}`,`  git log --stat --all`,`  conveyor status`].join(`
`))}export{M as demo};