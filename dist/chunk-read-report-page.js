import{a as e}from"./chunk-visible-text.js";import{g as t}from"./chunk-result.js";import{o as n}from"./chunk-paths.js";import{Ot as r,Tt as i,bn as a,hn as o,it as s,yn as c}from"./chunk-saved-run.js";import{_ as l,v as u,y as d}from"./chunk-report.js";import{n as f,r as p,t as m}from"./chunk-markdown-text.js";function h(e){if(e<1e3)return`${Math.round(e)} ms`;if(e<6e4)return`${(Math.floor(e/100)/10).toFixed(1)} s`;let t=Math.floor(e/1e3),n=Math.floor(t/60);return n<60?`${n} min ${t%60} s`:`${Math.floor(n/60)} h ${n%60} min`}function g(e){let t=ee(e);return c.map(n=>({stage:n,duration_ms:t.reduce((e,t)=>e+(t.stage===n?t.to_ms-t.from_ms:0),0),state:e.completed_stages.includes(a(n))?`done`:e.transitions.some(({to:e})=>e===n)?`open`:`not_reached`}))}function ee({transitions:e,invocations:t}){return e.map(({at:n,to:r},i)=>{let a=o(n),s=t.findLast(({started_at:e})=>o(e)<=a),c=[e[i+1]?.at,s?.ended_at].flatMap(e=>e==null?[]:[o(e)]);return{stage:r,from_ms:a,to_ms:c.length===0?a:Math.max(a,Math.min(...c))}})}var _=class{#e;constructor(e){this.#e=e}toString(){return this.#e}};function v(e,...t){let[n=``,...r]=te(e);return new _(t.reduce((e,t,n)=>e+x(t)+(r[n]??``),n))}function te(e){let t=ne.get(e);if(t!==void 0)return t;let n=e.map(e=>e.replaceAll(/\s*\n\s*/g,`
`));return ne.set(e,n),n}const ne=/* @__PURE__ */ new WeakMap,y=v``;function b(e){return new _(e.replaceAll(`\r
`,`
`).replaceAll(re,``).split(`
`).map(e=>e.split(`	`).map(S).join(`	`)).join(`
`))}const re=/\u001b\[[0-9;]{0,20}m/g;function x(e){return e instanceof _?e.toString():typeof e==`number`?String(e):typeof e==`string`?S(e):e.map(x).join(``)}const ie={"&":`&amp;`,"<":`&lt;`,">":`&gt;`,'"':`&quot;`,"'":`&#39;`};function S(t){return e(t.toWellFormed()).replaceAll(/[&<>"']/g,e=>ie[e]??e)}const ae=new TextEncoder;function oe(e){return ae.encode(e).length}function C(e,t){if(e.length<=t)return e;let n=se(e.charCodeAt(t-1)),r=e.slice(0,n?t-1:t);return`${r}… [${e.length-r.length} more characters]`}function se(e){return e>=55296&&e<=56319}function ce({bytes:e,head:t,tail:n}){let r=e-t.length-n.length,i=n.findIndex(e=>(e&192)!=128),a=i===-1?n.length:i;return{head:new TextDecoder().decode(t,{stream:r>0}),tail:new TextDecoder().decode(r>0?n.subarray(a):n),leftOut:r}}function w(e,t){return v`<span class="pill ${t}">${e}</span>`}function T(e){return C(e,300)}function E(e,t=`prose`){return e===``?y:v`<p class="${t}">${b(C(e,2e3))}</p>`}function D(e){return v`<code>${T(e)}</code>`}function O(e){return/^[0-9a-f]{40,64}$/.test(e)?v`<code title="${e}">${e.slice(0,10)}</code>`:D(e)}function k(e){return v`<time datetime="${e}">${e.slice(0,10)} ${e.slice(11,19)}</time>`}function A(e){return e.length===0?y:v`<span class="chips">${e.map(e=>v`<code>${e}</code> `)}</span>`}function j(e,t,n){let r=n.length-300;return v`<div class="scroll" role="group" tabindex="0" aria-label="${e}">
      <table>
        <caption class="vh">
          ${e}
        </caption>
        <thead>
          <tr>
            ${t.map(e=>v`<th scope="col">${e}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${n.slice(0,300).map(([e,...t])=>v`<tr>
                <th scope="row">${e??``}</th>
                ${t.map(e=>v`<td>${e}</td>`)}
              </tr> `)}
        </tbody>
      </table>
    </div>
    ${r>0?M(`${r} more rows`):y}`}function M(e,t=`orchestrator_run_report.json`){return v`<p class="cut">Left out here: ${e}. All of it is in ${D(t)}.</p>`}function N(e,t=`plain`){if(e.length===0)return y;let n=e.length-300;return v`<ul class="${t}">
      ${e.slice(0,300).map(e=>v`<li>${e}</li> `)}
    </ul>
    ${n>0?M(`${n} more`):y}`}function P(e,t,n=!1){return v`<details${n?v` open`:y}><summary>${e}</summary><div class="in">${t}</div></details>
`}function F(e,t){return`${e} ${t}${e===1?``:`s`}`}function I(e){return e.replaceAll(`_`,` `)}function L(e){return e<1024?`${e} bytes`:e<1048576?`${(e/1024).toFixed(1)} KiB`:`${(e/1024/1024).toFixed(1)} MiB`}const le={enforced:`good`,detected:`wait`,advisory:`plain`};function ue({sandbox:e,stage_executions:t}){if(e===null)return v`<p>Not probed: no program was started.</p>`;let{trial:n}=e.facts,r=t.flatMap(e=>e.network.map(t=>({...t,purpose:e.purpose})));return v`<p>
      ${w(`tier ${e.tier}`,e.tier>=3?`good`:`wait`)} ${T(e.why)}
      <span class="muted">(level ${e.level}, minimum tier ${e.minimum_tier})</span>
    </p>
    ${j(`Layers of the sandbox`,[`layer`,`strength`,`what that means`],e.layers.map(({layer:e,strength:t,detail:n})=>[I(e),w(t,le[t]??`plain`),T(n)]))}${n.kind===`ran`?P(`${n.probes.filter(({outcome:e})=>e===`held`).length} of ${n.probes.length} probes held when the run started`,j(`Probes of the sandbox`,[`a program inside tried`,`outcome`,`seen`],n.probes.map(({probe:e,outcome:t,detail:n})=>[I(e),w(t,t===`held`?`good`:`bad`),T(n)]))):y}${r.length===0?y:v`<h3>Network</h3>
            ${j(`Hosts that programs asked the proxy for`,[`host`,`for`,`allowed`,`requests`,`sent`,`received`],r.map(e=>[D(`${e.host}:${e.port}`),I(e.purpose),w(e.allowed?`yes`:`no`,e.allowed?`good`:`bad`),e.requests,L(e.sent_bytes),L(e.received_bytes)]))}`}`}function de({cost:{total:e,items:t,lanes:n,limit_usd:r}}){if(e.sessions===0)return v`<p>No coding agent was started, so that there is nothing to pay.</p>`;let i=(e,t,n)=>[e,t.sessions,u(t),n,d(t)];return v`<p>${u(e)} ${r===null?`without a limit`:`of at most $${r}`}.</p>
    ${r===null||r===0?y:fe(e.known_usd/r)}${j(`Cost by item and lane`,[`of`,`sessions`,`cost`,`budget`,`tokens`],[...t.map(e=>i(`item ${T(e.item_id)}`,e,l(e.budget_usd,`item`))),...n.map(e=>i(T(e.lane),e,l(e.budget_usd,`session`))),i(v`<b>all</b>`,e,l(r,`item`))])}`}function fe(e){let t=Math.round(Math.min(1,e)*1e3);return v`<svg
    class="bar budget"
    viewBox="0 0 1000 10"
    preserveAspectRatio="none"
    role="img"
    aria-label="${Math.round(e*100)} percent of the limit is spent"
  >
    <rect class="rest" width="1000" height="10" />
    <rect class="${e>=1?`bad`:`stage`}" width="${t}" height="10" />
  </svg> `}function pe(e){let{digests:t}=e,n=[[`base commit`,R(e.base_commit)],[`head`,R(e.head_sha)],[`branch`,v`${D(e.branch)}${e.delivered?``:` (not delivered)`}`],[`plan digest`,R(t.plan_sha256)],[`policy digest`,v`${R(t.policy_sha256)} <span class="muted">${I(t.config_authority)}</span>`],[`configuration digest`,t.config_sha256===null?`none`:R(t.config_sha256)],[`journal head`,v`${R(e.journal_head)} <span class="muted">event ${e.journal_seq}</span>`],...Object.entries(e.versions).map(([e,t])=>[T(e),D(t)])],r=Object.entries(e.options);return v`${j(`Commits, digests and versions`,[`what`,`value`],n)}${r.length===0?y:P(`Options, and where each value came from`,j(`Options`,[`option`,`value`,`from`],r.map(([e,{value:t,source:n}])=>[T(e),D(JSON.stringify(t)),I(n)])))}`}function R(e){return v`<code class="digest">${T(e)}</code>`}function me({warnings:e}){return N(e.map(T))}function z(e,t,n=``){return v`<div>
    <dt>${e}</dt>
    <dd>${t}</dd>
    <dd class="muted">${n}</dd>
  </div> `}function he(e){let{gate_decisions:t,policy:n}=e;return t.length===0?v`<p>Not evaluated: the run stopped before them.</p>
      ${n===null?y:v`<ul class="tree">
              ${V(n,e.mode)}
            </ul>`}`:v`<p>${t.filter(e=>e.passed).length} of ${t.length} passed for ${O(e.head_sha)}.</p>
    <ul class="tree">
      ${t.map(t=>v`<li>
            ${w(t.passed?`passed`:`blocked`,t.passed?`good`:`bad`)} <b>${t.gate}</b>
            <ul>
              <li>it was told ${D(t.signal)}</li>
              <li>${T(t.detail)}</li>
              ${t.reason_code===null?y:v`<li>${B(t.reason_code)}</li>`}${t.gate===`policy`&&n!==null?V(n,e.mode):y}
            </ul>
          </li> `)}
    </ul>`}function B(e){return v`${A([e])} <span class="muted">${s[e].means}</span>`}function V({decision:e,risk:t,refusals:n,reason_codes:r,approvals:i},a){let o=i.filter(({counts:e})=>e).length;return v`<li>
    ${w(e,e===`allow`?`good`:`bad`)} the run's own policy decision, in ${a} mode
    <ul>
      <li>
        risk ${w(t.tier,H(t.tier))}
        <ul>
          ${t.reasons.map(({tier:e,text:t})=>v`<li>${e}: ${T(t)}</li>`)}
        </ul>
      </li>
      <li>${o} of ${i.length} approvals count</li>
      ${n.map(({code:e,text:t})=>v`<li>refused: ${A([e])} ${T(t)}</li>`)}${n.length>0?y:r.map(e=>v`<li>${B(e)}</li>`)}
    </ul>
  </li>`}function H(e){return e===`low`?`good`:e===`medium`?`wait`:`bad`}function ge({policy:e}){return e===null?v`<p>Policy was not decided: the run stopped before.</p>`:e.approvals.length===0?v`<p>Nobody approved anything, and nothing says that anybody had to.</p>`:j(`Approvals`,[`risk`,`by`,`authority`,`counts`,`refused by`],e.approvals.map(e=>[e.tier,e.approver===null?`nobody is named`:T(e.approver),`${e.authority}${e.self_approved?`, self-approved`:``}`,w(e.counts?`counts`:`does not count`,e.counts?`good`:`bad`),e.refused_by.join(`, `)]))}function _e(e){let t=e.decision===`none`,n=t?`wait`:e.decision===`approved`?`good`:`bad`;return v`<div class="gate ${n}">
    <h4>Manual gate: ${I(e.gate_type)} ${w(t?`open`:e.decision,n)}</h4>
    ${E(e.reason)}
    <p class="muted">
      For commit ${O(e.commit)}, packet
      ${O(e.packet_sha256)}${e.required_evidence===``?``:`. Evidence asked for: ${T(e.required_evidence)}`}
    </p>
    ${t?y:v`<p>By <b>${T(e.by)}</b>, authority ${D(e.authority)}</p>`}${E(e.note)}${N(e.evidence.slice(0,50).map(({path:e,sha256:t})=>v`${D(e)} ${O(t)}`))}
  </div> `}const ve={headMax:262144,tailMax:0},U={headMax:4096,tailMax:12288};function W(e){let t=[],n=[];for(let r of e.items){let i=e.audit.items.find(({item_id:e})=>e===r.item_id)?.rounds??[],a=r.attempts.at(-1)?.candidates.at(-1);for(let{attempt:e,candidates:o}of r.attempts)for(let r of o){let o=i.find(t=>t.attempt===e&&t.round===r.round),s=[...r.patch===null?[]:[{path:r.patch,...ve}],...G(r.commands),...G(o?.red_commands??[])];(r===a?t:n).push(...s)}}return[...t,...G(e.validation?.commands??[]),...n].slice(0,1e3)}function G(e){return e.flatMap(({log:e})=>[{path:e,...U},{path:K(e),...U}])}function K(e){return e.replace(/\.stdout\.log$/,`.stderr.log`)}function q(e,t,n=!1){let r=e.length-60;return v`${e.slice(0,60).map(e=>ye(e,n?`red`:e.required===!1?`suggested`:`required`,t))}${r>0?M(F(r,`more command`)):y}`}function ye(e,t,n){let r=v`${be(e.passed,t)} ${D(e.command)}
    <span class="muted">${e.outcome}${t===`suggested`?`, suggested: decides nothing`:``}</span>`,i=K(e.log);return P(r,v`${xe(`Output`,e.log,n.get(e.log))}${i===e.log?y:xe(`Errors`,i,n.get(i))}`,!e.passed&&t===`required`)}function be(e,t){return t===`red`?w(e?`passes on the base`:`fails on the base`,`plain`):e?w(`passed`,`good`):w(`failed`,t===`required`?`bad`:`wait`)}function xe(e,t,n){if(n===void 0)return v`<p class="log-name">${e}: ${D(t)} <span class="muted">is not on this page</span></p>`;if(n.bytes===0)return v`<p class="log-name">${e}: <span class="muted">nothing</span></p>`;let r=n.leftOut===0?y:v` <span class="gap">… ${n.leftOut} bytes left out, all of them in the file …</span>
          ${b(n.tail)}`;return v`<p class="log-name">${e}: ${D(t)} <span class="muted">${L(n.bytes)}</span></p>
    <pre class="log" tabindex="0" role="group" aria-label="${e} of a command">${b(n.head)}${r}</pre> `}function Se(e){if(e.lanes.length===0)return y;let t=e.packet_sha256===null?y:v` over packet ${O(e.packet_sha256)}`;return v`<h4>Audits ${w(De(e.outcome),Oe(e.outcome))}</h4>
    <p class="muted">${F(e.lanes.length,`lane`)}${t}, side by side</p>
    <div class="lanes">${e.lanes.map(Ce)}</div>
    ${we(e)}`}function Ce(e){let t=e.outcome===`findings`?`${F(e.findings,`finding`)}${e.blocks?`, blocks`:``}`:I(e.outcome),{said:n}=e;return v`<section class="lane">
    <h5>${T(e.lane)} ${w(t,Ee(e))}</h5>
    ${e.why===``?y:v`<p>Its answer proves nothing: ${T(e.why)}</p>`}${e.failed_answers===0?y:v`<p class="muted">${F(e.failed_answers,`answer`)} of it proved nothing</p>`}${n===null?y:v`<p class="muted">It says <b>${I(n.verdict)}</b></p>
            ${E(n.summary)}${n.limitations.length===0?y:v`<p class="muted">It could not look at:</p>`}${N(n.limitations.slice(0,10).map(T))}`}
  </section> `}function we({triage:e}){return N([...e.answer===`read`?[`A triage program sorted the findings.`]:[],...e.answer===`rejected`?[`The triage program's answer does not count: ${e.why}`]:[],...e.refused.map(({finding_id:e,asked:t,why:n})=>`Refused to the triage program: ${I(t)} for ${e.slice(0,12)}: ${n}`)].map(T))}function Te(e,t){if(e.red_green===null)return y;let n=e.red_green===`proven`;return v`<h4>Red, then green ${w(n?`proven`:`not proven`,n?`good`:`bad`)}</h4>
    ${n?v`<p class="muted">At least one of these fails on the base with the candidate's tests alone, and all pass with the candidate.</p>`:v`<p>${T(e.red_green_gap)}</p>`}
    ${e.red_test_paths.length===0?y:v`<p class="paths">Tests: ${e.red_test_paths.slice(0,20).map(e=>v`${D(e)} `)}</p>`}
    ${q(e.red_commands,t,!0)}`}function Ee(e){return e.outcome===`pass`?`good`:e.outcome===`findings`?e.blocks?`bad`:`wait`:e.outcome===`engine_failed`?`bad`:`wait`}function De(e){return e===`disagree`?`they disagree`:e===`pass`?`all pass`:I(e)}function Oe(e){return e===`pass`?`good`:e===`engine_failed`?`bad`:`wait`}function ke(e,t){let n=e.split(`
`),r=[],i=0,a=0;for(;a<n.length;){let e=n[a]??``;a+=1;let o=r.at(-1);if(e.startsWith(`diff --git `)){r.push({path:Pe(e),kind:`changed`,remarks:[],hunks:[],added:0,deleted:0});continue}if(o===void 0)continue;let s=Ae.exec(e);if(s===null){Me(o,e);continue}let c=je(n,a,s,t-i);if(o.hunks.push({heading:s[5]??``,lines:c.lines}),o.added+=c.lines.filter(({kind:e})=>e===`added`).length,o.deleted+=c.lines.filter(({kind:e})=>e===`deleted`).length,i+=c.lines.length,a+=c.lines.length,c.isCut)return{files:r,isCut:!0}}return{files:r,isCut:!1}}const Ae=/^@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)$/;function je(e,t,n,r){let i=[],[a,o]=[Number(n[1]),Number(n[2]??1)],[s,c]=[Number(n[3]),Number(n[4]??1)];for(let n=t;n<e.length;n+=1){let t=e[n]??``,l=t[0],u=t.slice(1);if(l===`\\`)i.push({kind:`note`,old:null,new:null,text:u.trim()});else{if(o===0&&c===0)break;if(i.length>=r)return{lines:i,isCut:!0};if(l===`+`&&c>0)i.push({kind:`added`,old:null,new:s,text:u});else if(l===`-`&&o>0)i.push({kind:`deleted`,old:a,new:null,text:u});else if(l===` `&&o>0&&c>0)i.push({kind:`context`,old:a,new:s,text:u});else return{lines:i,isCut:!0};l!==`+`&&([a,o]=[a+1,o-1]),l!==`-`&&([s,c]=[s+1,c-1])}}return{lines:i,isCut:o>0||c>0}}function Me(e,t){if(t.startsWith(`new file mode `))e.kind=`added`,t.endsWith(`100644`)||e.remarks.push(t);else if(t.startsWith(`deleted file mode `))e.kind=`deleted`;else if(/^(old|new) mode \d+$/.test(t))e.remarks.push(t);else if(t===`GIT binary patch`||t.startsWith(`Binary files `))e.remarks.push(`binary content`);else if(e.hunks.length>0)return;else(t.startsWith(`--- `)||t.startsWith(`+++ `))&&(e.path=Ne(t.slice(4))??e.path)}function Ne(e){let t=Ie(e.replace(/\t$/,``));return t===`/dev/null`?void 0:t.slice(2)}function Pe(e){let t=e.slice(11);return Ie(t.slice(0,(t.length-1)/2)).slice(2)}const Fe={a:7,b:8,t:9,n:10,v:11,f:12,r:13,'"':34,"\\":92};function Ie(e){if(!e.startsWith(`"`))return e;let t=[],n=new TextEncoder;for(let[r]of e.slice(1,-1).matchAll(/\\[0-7]{3}|\\.|[^\\]+/gs))r.startsWith(`\\`)?t.push(Fe[r.slice(1)]??Number.parseInt(r.slice(1),8)):t.push(...n.encode(r));return new TextDecoder().decode(new Uint8Array(t))}function Le(e){return e.items.flatMap(t=>{let n=t.attempts.at(-1),r=n?.candidates.at(-1);if(n===void 0||r===void 0)return[];let i=(e.audit.items.find(({item_id:e})=>e===t.item_id)?.rounds??[]).find(e=>e.attempt===n.attempt&&e.round===r.round);return Be(t,n.attempt,r,i)}).toSorted((e,t)=>ze(e)-ze(t))}function Re(e){return e.standing===`open`&&r(e)}function ze(e){return(Re(e)?0:e.standing===`open`?1:2)*i.length+i.indexOf(e.severity)}function Be(e,t,n,r){let i=e.terminal_state===`passed`?`left`:`open`,a={item_id:e.item_id,attempt:t,round:n.round,standing:i},o={...a,severity:`high`,is_blocking:!0,found_by:[`orchestrator`]},s=n.violations.map(({code:e,path:t,detail:n})=>({...o,title:`${e}: ${t}`,text:n,places:J([t],[])})),c=(r?.findings??[]).map(e=>({...a,severity:e.severity,is_blocking:e.is_blocking,title:e.title,text:[e.why_it_matters,e.recommended_action].filter(e=>e!==``).join(`
`),found_by:e.sources.map(e=>e.kind===`lane`?e.lane:`orchestrator`),places:J(e.file_paths,e.evidence)}));return c.length>0?[...s,...c]:[...s,...n.failures.map(e=>({...o,title:e,text:``,places:[]}))]}function J(e,t){return[...new Set(e)].filter(e=>e!==`.`&&n(e)===void 0).map(e=>({path:e,line:Ve(e,t)}))}function Ve(e,t){for(let n of t)for(let t=n.indexOf(`${e}:`);t!==-1;t=n.indexOf(`${e}:`,t+1)){let r=t===0||!/[\w./-]/.test(n[t-1]??``),i=Number(/^\d{1,7}/.exec(n.slice(t+e.length+1,t+e.length+9))?.[0]??0);if(r&&i>0&&i<=9999999)return i}return null}function Y(e){return r(e)?`bad`:e.severity===`medium`?`wait`:`plain`}function He(e){if(e.length===0)return y;let t=e.length-60;return v`<h4>Findings</h4>
    ${e.slice(0,60).map(Ue)}${t>0?M(`${t} more findings`):y}`}function Ue(e){let t=e.sources.map(e=>e.kind===`lane`?e.lane:`the orchestrator (${e.reason_code})`),n=e.disposition_reason===``?``:`: ${e.disposition_reason}`;return v`<article class="finding ${Y(e)}">
    <h5>
      ${w(`${e.severity}${e.is_blocking?`, blocking`:``}`,Y(e))}
      ${T(e.title)}
    </h5>
    <p class="muted">
      ${I(e.category)}, found by ${T(t.join(`, `))} with ${e.confidence} confidence. Decided by
      ${e.decided_by}: ${I(e.disposition)}${T(n)}
    </p>
    ${e.file_paths.length===0?y:v`<p class="paths">${e.file_paths.slice(0,20).map(e=>v`${D(e)} `)}</p>`}
    ${E(e.why_it_matters)}${e.recommended_action===``?y:v`<p class="prose"><b>To do:</b> ${T(e.recommended_action)}</p>`}${N(e.evidence.slice(0,8).map(e=>v`<code>${T(e)}</code>`),`evidence`)}
  </article> `}function We(e,t,n){if(t===void 0)return M(`the changes`,e);let r=ke(t.head,2500),i=r.isCut||t.leftOut>0,a=n.flatMap(e=>J(e.file_paths,e.evidence).map(t=>({...t,finding:e}))),o=r.files.reduce((e,t)=>e+t.added,0),s=r.files.reduce((e,t)=>e+t.deleted,0);return v`<p class="muted">
      ${F(r.files.length,`file`)}${i?` and more`:``}, ${Ze(o,s)}
    </p>
    ${r.files.map((e,t)=>Ge(e,a.filter(({path:t})=>t===e.path),t<12&&e.added+e.deleted<=400))}${i?M(`the rest of a patch of ${L(t.bytes)}`,e):y}`}function Ge(e,t,n){let r=new Set(e.hunks.flatMap(e=>e.lines.flatMap(e=>e.new??[]))),i=t.filter(e=>e.line===null||!r.has(e.line));return v`<details class="file" ${n||t.length>0?v` open`:y}>
    <summary>
      <span class="path">${T(e.path)}</span>${e.kind===`changed`?y:v` <span class="muted">${e.kind}</span>`} <span class="nums">${Ze(e.added,e.deleted)}</span>${t.length===0?y:v` ${w(F(t.length,`finding`),`wait`)}`}
    </summary>
    ${e.remarks.map(e=>v`<p class="remark">${T(e)}</p>`)}${i.map(Xe)}${e.hunks.length===0?y:Ke(e,t)}
  </details> `}function Ke({path:e,hunks:t},n){return v`<table class="diff">
    <caption class="vh">
      Changed lines of ${T(e)}
    </caption>
    <colgroup>
      <col class="n" />
      <col class="n" />
      <col />
    </colgroup>
    <thead class="vh">
      <tr>
        <th scope="col">before</th>
        <th scope="col">after</th>
        <th scope="col">line</th>
      </tr>
    </thead>
    ${t.map(e=>v`<tbody>
          <tr class="h">
            <td colspan="3">${e.heading===``?`⋯`:T(e.heading)}</td>
          </tr>
          ${e.lines.map(e=>Ye(e,n.filter(t=>t.line!==null&&t.line===e.new)))}
        </tbody>`)}
  </table>`}const qe={context:` `,added:`+`,deleted:`-`,note:`\\`},Je={context:`c`,added:`a`,deleted:`d`,note:`n`};function Ye(e,t){let n=b(`${qe[e.kind]}${C(e.text,600)}`);return v`<tr class="${Je[e.kind]}">
      <td>${e.old??``}</td>
      <td>${e.new??``}</td>
      <td>${n}</td>
    </tr>
    ${t.map(e=>v`<tr class="f">
          <td colspan="3">${Xe(e)}</td>
        </tr> `)}`}function Xe({line:e,finding:t}){let n=t.sources.map(e=>e.kind===`lane`?e.lane:`the orchestrator`);return v`<div class="note ${Y(t)}">
    <p>${w(t.severity,Y(t))} <b>${T(t.title)}</b></p>
    <p class="muted">${T([...new Set(n)].join(`, `))}${e===null?``:`, line ${e}`}</p>
    ${t.recommended_action===``?y:v`<p>${T(t.recommended_action)}</p>`}
  </div> `}function Ze(e,t){return v`<span class="plus">+${e}</span> <span class="minus">−${t}</span>`}function Qe(e){return v`<p class="cut">Changes: ${D(e)}</p>`}function $e({report:e,texts:t}){let n=e.items.map((t,n)=>({item:t,audit:e.audit.items.find(({item_id:e})=>e===t.item_id),rounds:et(t,n,e.audit.items)})),r=tt(n.flatMap(({rounds:e})=>e).toSorted((e,t)=>Number(t.decides)-Number(e.decides)),t);return v`${n.map(({item:e,audit:t,rounds:n},i)=>nt(e,t,i,n,r))}`}function et(e,t,n){let r=n.find(({item_id:t})=>t===e.item_id)?.rounds??[],i=e.attempts.flatMap(e=>{let n=[...e.sessions,...e.candidates].map(({round:e})=>e);return[...new Set(n)].toSorted((e,t)=>e-t).map(n=>({item:t,attempt:e,round:n,candidate:e.candidates.findLast(e=>e.round===n),judged:r.findLast(t=>t.attempt===e.attempt&&t.round===n)}))});return i.map((e,t)=>({...e,decides:t===i.length-1}))}function tt(e,t){let n=/* @__PURE__ */ new Map,r=4194304;for(let i of e){let e=it(i,t),a=oe(e.toString()),o=a<=r;n.set(i,o?e:at(i)),r-=o?a:0}return n}function nt(e,t,n,r,i){let a=e.terminal_state;return v`<section class="item" id="item-${n+1}" aria-labelledby="item-${n+1}-name">
    <h3 id="item-${n+1}-name">
      <span class="item-id">${T(e.item_id)}</span> ${T(e.action)}
      ${w(a===null?e.attempts.length===0?`not started`:`not settled`:I(a),rt(a))}
    </h3>
    <p class="muted">
      ${F(e.attempts.length,`attempt`)},
      ${F(r.length,`round`)}${e.commit===null?y:v`, commit ${O(e.commit)}`}${t?.audited===!0||r.length===0?``:`, last candidate not audited`}
      ${A(e.reason_codes)}
    </p>
    ${t===void 0||t.gate===null?y:_e(t.gate)}${t===void 0||t.evidence.length===0?y:v`<p class="paths">
            Evidence from outside:
            ${t.evidence.slice(0,20).map(({path:e,sha256:t})=>v`${D(e)} ${O(t)} `)}
          </p>`}${r.map(e=>i.get(e)??y)}
  </section> `}function rt(e){return e===`passed`?`good`:e===`escalated`?`bad`:e===null?`plain`:`wait`}function it(e,t){let{attempt:n,candidate:r,judged:i}=e,a=n.sessions.filter(t=>t.round===e.round);return v`<details class="round" ${e.decides?v` open`:y}>
    <summary>${ot(e)} ${st(e)}</summary>
    <div class="in">
      ${a.map(lt)}${r===void 0?y:ut(r,t)}${i===void 0?y:v`${Te(i,t)}${Se(i)}${He(i.findings)}`}${r===void 0||r.patch===null?y:v`<h4>Changes</h4>
              ${We(r.patch,t.get(r.patch),i?.findings??[])}`}
    </div>
  </details> `}function at(e){return v`<details class="round">
    <summary>${ot(e)} ${st(e)}</summary>
    <div class="in">
      ${M(`this round, because the page would be too large`)}${e.candidate?.patch===void 0||e.candidate.patch===null?y:Qe(e.candidate.patch)}
    </div>
  </details> `}function ot({attempt:e,round:t}){return v`<span class="round-name">Attempt ${e.attempt}, round ${t}</span>`}function st({attempt:e,candidate:t,judged:n,round:r,decides:i}){let a=e.sessions.find(e=>e.round===r)?.kind,o=i?``:e.ended===`void`||e.ended===`lost`?e.ended:``;return v`<span class="steps"
    >${a??``} ${t===void 0?y:ct(t)}
    ${n===void 0||n.lanes.length===0?y:w(De(n.outcome),Oe(n.outcome))}
    ${o}</span
  >`}function ct(e){return e.violations.length>0?w(`refused`,`bad`):e.verification===`passed`?w(`verified`,`good`):e.verification===`failed`?w(`verification failed`,`bad`):w(`not verified`,`plain`)}function lt(e){let t=e.outcome===`finished`?`good`:e.outcome===`failed`?`bad`:`wait`;return v`<p>
      Session ${e.session} (${e.kind})
      ${w(I(e.outcome),t)}${e.survivors===0?``:` It left ${F(e.survivors,`process`)} running, which were ended.`}${e.tamper_kinds.length===0?``:` Git was tampered with: ${T(e.tamper_kinds.join(`, `))}.`}
    </p>
    ${e.summary===``?y:v`<blockquote>
            <p class="muted">It says of itself, which decides nothing:</p>
            ${E(e.summary)}
          </blockquote>`}`}function ut(e,t){let n=e.commit===null?y:v`, commit ${O(e.commit)}`,r=e.violations.length-50;return v`<p class="muted">Candidate: ${F(e.changed_paths,`path`)} changed${n}</p>
    ${N(e.violations.slice(0,50).map(({code:e,path:t,detail:n})=>v`${w(e,`bad`)} ${D(t)} ${T(n)}`))}${r>0?M(F(r,`more violation`)):y}${e.commands.length+e.failures.length===0?y:v`<h4>Verification ${ct(e)}</h4>
            <p class="muted">In a clean checkout of the candidate.</p>
            ${N(e.failures.slice(0,50).map(T))}${q(e.commands,t)}`}`}const dt=`
:root{color-scheme:light dark;
--bg:#fff;--soft:#f6f8fa;--line:#d1d9e0;--faint:#e6eaef;--fg:#1f2328;--muted:#57606a;--link:#0550ae;--focus:#0969da;
--good:#116329;--good-bg:#dafbe1;--bad:#a40e26;--bad-bg:#ffebe9;--wait:#7d4e00;--wait-bg:#fff4d1;--plain-bg:#eaeef2;
--add:#e6ffec;--add-n:#ccffd8;--del:#ffebe9;--del-n:#ffd7d5;--hunk:#ddf4ff;--bar:#54aeff;--bar-good:#2da44e;--bar-bad:#cf222e;--pause:#8c959f;
--mono:ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"Liberation Mono",monospace}
@media (prefers-color-scheme:dark){:root{
--bg:#0d1117;--soft:#151b23;--line:#3d444d;--faint:#262c36;--fg:#e6edf3;--muted:#9da7b3;--link:#79b8ff;--focus:#4493f8;
--good:#56d364;--good-bg:#12261e;--bad:#ff938a;--bad-bg:#2c1519;--wait:#e3b341;--wait-bg:#282215;--plain-bg:#262c36;
--add:#12261e;--add-n:#1c4428;--del:#2d1618;--del-n:#542426;--hunk:#121d2f;--bar:#388bfd;--bar-good:#3fb950;--bar-bad:#f85149;--pause:#6e7681}}
*{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--fg);font:14px/1.55 -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif;overflow-wrap:anywhere}
h1,h2,h3,h4,h5,p,ul,ol,dl,dd,pre,blockquote,table{margin:0;padding:0}
a{color:var(--link)}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px;border-radius:4px}
main:focus{outline:none}
.skip{position:absolute;left:-999px;top:0;z-index:2;padding:.5rem 1rem;background:var(--bg);border:1px solid var(--line)}
.skip:focus{left:.5rem;top:.5rem}
.vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
code,pre,.diff,.item-id,.path,.num{font-family:var(--mono);font-size:12px}
code{background:var(--plain-bg);border-radius:5px;padding:.12em .38em}
pre code{background:none;padding:0}
.digest{background:none;padding:0}
.muted{color:var(--muted)}
.num,.nums{white-space:nowrap}
.inner,.page,footer{max-width:1280px;margin:0 auto;padding:0 20px}
.top{background:var(--soft);border-bottom:1px solid var(--line);padding:20px 0 0}
.kicker{color:var(--muted);font-weight:600}
h1{font-size:26px;line-height:1.3;font-weight:600;margin:6px 0;display:flex;flex-wrap:wrap;gap:.3em .5em;align-items:center}
.state{font-size:16px;line-height:1.2;padding:7px 14px;border-radius:2em;border:1px solid currentColor;text-transform:capitalize}
.pill{display:inline-block;white-space:nowrap;max-width:100%;overflow:hidden;text-overflow:ellipsis;font:600 12px/18px -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif;padding:0 8px;border-radius:2em;border:1px solid transparent;vertical-align:1px}
.good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}.plain{color:var(--fg)}
.pill.good,.state.good{background:var(--good-bg)}.pill.bad,.state.bad{background:var(--bad-bg)}.pill.wait,.state.wait{background:var(--wait-bg)}.pill.plain,.state.plain{background:var(--plain-bg)}
.pill.good{border-color:color-mix(in srgb,var(--good) 30%,transparent)}.pill.bad{border-color:color-mix(in srgb,var(--bad) 30%,transparent)}.pill.wait{border-color:color-mix(in srgb,var(--wait) 30%,transparent)}
.codes{list-style:none;margin:10px 0 0}.codes li{margin:4px 0}
.failure{margin-top:10px;padding:8px 12px;border-left:3px solid var(--bad);background:var(--bg);white-space:pre-wrap}
.facts{display:grid;grid-template-columns:repeat(6,minmax(0,1fr));gap:1px;margin-top:18px;background:var(--line);border:1px solid var(--line);border-bottom:0;border-radius:8px 8px 0 0;overflow:hidden}
.facts div{background:var(--bg);padding:10px 14px;min-width:0}
.facts dt{color:var(--muted);font-size:12px}
.facts dd{font-weight:600}.facts dd.muted{font-weight:400;font-size:12px}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:2px 14px;padding:12px 0;border-bottom:1px solid var(--line)}
nav a{display:inline-block;padding:4px 0;text-decoration:none}nav a:hover{text-decoration:underline}
main>section{padding:26px 0 4px}
h2{font-size:20px;font-weight:600;line-height:1.3;padding-bottom:8px;margin-bottom:12px;border-bottom:1px solid var(--line)}
h3{font-size:16px;font-weight:600;margin:14px 0 4px}
h4{font-size:14px;font-weight:600;margin:18px 0 6px}
h5{font-size:14px;font-weight:600}
main p{margin:4px 0}
ul.plain{padding-left:1.3em;margin:6px 0}
.prose{white-space:pre-wrap}
.acts{padding-left:1.4em}.acts li{margin:8px 0}
.command{margin:8px 0;padding:12px 14px;background:var(--soft);border:1px solid var(--line);border-radius:6px;white-space:pre-wrap;user-select:all;-webkit-user-select:all}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:6px;margin:10px 0;max-width:100%}
table{border-collapse:collapse;width:100%}
.scroll th,.scroll td,.stages th,.stages td{text-align:left;vertical-align:top;padding:6px 12px;border-top:1px solid var(--faint);font-weight:400}
.scroll{overflow-wrap:normal}.scroll td,.scroll tbody th{min-width:64px;max-width:46ch;overflow-wrap:anywhere}
thead th{background:var(--soft);color:var(--muted);font-size:12px;font-weight:600!important;border-top:0!important;white-space:nowrap}
tbody th{font-weight:600!important}
.stages{margin:10px 0;border:1px solid var(--line)}.stages td:nth-child(3){width:56%}.stages th,.stages td{vertical-align:middle}
.scroll td:has(.bar){min-width:220px}
.bar{display:block;width:100%;height:12px;background:var(--faint);border-radius:3px;overflow:hidden}
.bar rect.stage{fill:var(--bar)}.bar rect.good{fill:var(--bar-good)}.bar rect.bad{fill:var(--bar-bad)}.bar rect.plain,.bar rect.pause{fill:var(--pause)}.bar rect.rest{fill:var(--faint)}
.budget{max-width:420px;margin:8px 0}
details>summary{cursor:pointer}
details>summary::marker{color:var(--muted)}
.in{padding:2px 0 6px}
main details:not(.round):not(.file){margin:4px 0;border:1px solid var(--line);border-radius:6px}
main details:not(.round):not(.file)>summary{padding:6px 12px}
main details:not(.round):not(.file)>.in{padding:4px 12px 10px;border-top:1px solid var(--faint)}
.item{border:1px solid var(--line);border-radius:8px;padding:14px 16px;margin:0 0 16px}
.item>h3{margin-top:0;font-size:17px}.item-id{font-size:15px;color:var(--muted);margin-right:.2em}
.chips code{margin-right:4px}
.round{border-top:1px solid var(--faint);margin:12px -16px 0;padding:8px 16px 0}
.round>summary{padding:2px 0}.round-name{font-weight:600;margin-right:6px}.steps{color:var(--muted)}
blockquote{border-left:3px solid var(--line);padding-left:12px;margin:8px 0}
.lanes{display:grid;grid-template-columns:repeat(auto-fit,minmax(260px,1fr));gap:12px;margin:8px 0}
.lane,.gate{border:1px solid var(--line);border-radius:6px;padding:10px 14px;min-width:0}
.gate{margin:10px 0;border-left-width:4px;color:var(--fg)}.gate h4{margin-top:0}.gate.good{border-left-color:var(--good)}.gate.bad{border-left-color:var(--bad)}.gate.wait{border-left-color:var(--wait)}
.finding,.note{border:1px solid var(--line);border-left:4px solid var(--pause);border-radius:6px;padding:10px 14px;margin:8px 0;color:var(--fg);background:var(--bg)}
.finding.bad,.note.bad{border-left-color:var(--bad)}.finding.wait,.note.wait{border-left-color:var(--wait)}
.evidence{list-style:none;margin-top:6px}.evidence li{margin:3px 0}
.cut{color:var(--muted);font-style:italic}
.log-name{margin-top:8px!important}
.log{margin:4px 0;padding:10px 12px;background:var(--soft);border:1px solid var(--faint);border-radius:6px;white-space:pre-wrap;max-height:26em;overflow:auto}
.gap{display:block;color:var(--wait);background:var(--wait-bg);padding:2px 6px;margin:6px 0;border-radius:4px}
.file{border:1px solid var(--line);border-radius:6px;margin:10px 0;overflow:hidden}
.file>summary{padding:8px 12px;background:var(--soft)}.file[open]>summary{border-bottom:1px solid var(--line)}
.file .path{font-weight:600}.file>.note,.file>.remark{margin:8px 12px}.nums{margin-left:6px;font-family:var(--mono);font-size:12px}
.plus{color:var(--good)}.minus{color:var(--bad)}
.diff{table-layout:fixed;line-height:20px}.diff col.n{width:50px}
.diff td{padding:0 10px;vertical-align:top}
.diff td:nth-child(1),.diff td:nth-child(2){text-align:right;color:var(--muted);user-select:none;-webkit-user-select:none;padding:0 8px}
.diff tr:not(.f):not(.h) td:nth-child(3){white-space:pre-wrap;tab-size:4}
.diff .a td{background:var(--add)}.diff .d td{background:var(--del)}
.diff .a td:nth-child(-n+2){background:var(--add-n);color:var(--fg)}.diff .d td:nth-child(-n+2){background:var(--del-n);color:var(--fg)}
.diff .h td{background:var(--hunk);color:var(--muted);text-align:left;padding:2px 12px}
.diff .n td{color:var(--muted);font-style:italic}
.diff .f td{text-align:left;padding:2px 12px;background:var(--soft);user-select:text;-webkit-user-select:text;font:14px/1.5 -apple-system,BlinkMacSystemFont,"Segoe UI","Noto Sans",Helvetica,Arial,sans-serif;color:var(--fg)}
.tree,.tree ul{list-style:none}.tree{margin:10px 0}.tree>li{margin:10px 0}
.tree ul{margin-left:9px;border-left:2px solid var(--line)}
.tree ul li{padding:3px 0 3px 16px;position:relative}
.tree ul li::before{content:"";position:absolute;left:0;top:13px;width:10px;border-top:2px solid var(--line)}
footer{border-top:1px solid var(--line);margin-top:32px;padding-top:14px;padding-bottom:32px;color:var(--muted);font-size:12px}
@media (min-width:1100px){
.page{display:grid;grid-template-columns:170px minmax(0,1fr);gap:36px}
nav{position:sticky;top:0;align-self:start;padding-top:22px;max-height:100vh;overflow:auto}
nav ul{display:block;border:0}}
@media (max-width:900px){.facts{grid-template-columns:repeat(3,minmax(0,1fr))}}
@media (max-width:640px){
.inner,.page,footer{padding-left:14px;padding-right:14px}
h1{font-size:21px}.facts{grid-template-columns:repeat(2,minmax(0,1fr))}
.stages th,.stages td{padding:6px 8px}.stages th:nth-child(3),.stages td:nth-child(3){display:none}
.diff col.n:first-child{width:0}.diff col.n{width:38px}.diff td{padding:0 6px}
.diff tr:not(.f):not(.h) td:nth-child(1){padding:0;font-size:0}.diff td:nth-child(2){padding:0 5px}
.diff .h td,.diff .f td{padding:2px 8px}}
@media print{
:root{color-scheme:light;--bg:#fff;--soft:#fff;--line:#bbb;--faint:#ddd;--fg:#000;--muted:#444;--link:#000;--good:#0a5220;--good-bg:#fff;--bad:#8b0f20;--bad-bg:#fff;--wait:#5f3b00;--wait-bg:#fff;--plain-bg:#fff;--add:#eef9f0;--add-n:#eef9f0;--del:#fbeeee;--del-n:#fbeeee;--hunk:#fff}
body{font-size:10pt}nav,.skip{display:none}.inner,.page,footer{max-width:none;padding:0;display:block}
details::details-content{content-visibility:visible;height:auto;opacity:1}
.log{max-height:none;overflow:visible}.scroll{overflow:visible;border:0}.scroll th,.scroll td{padding:3px 6px}
h2,h3,h4,summary{break-after:avoid}tr,.finding,.note,.gate,.lane,.command,.facts div{break-inside:avoid}
.pill,.state{border-color:currentColor!important}a{text-decoration:none}}
`,ft=1e3;function pt(e){let t=_t(e),n=ee(e),r=g(e).map(({stage:e,duration_ms:r,state:i})=>[v`${I(e)}`,w(i===`not_reached`?`not reached`:i,i===`done`?`good`:i===`open`?`wait`:`plain`),gt(t,n.flatMap(t=>t.stage===e?[{from:t.from_ms,to:t.to_ms,tone:`stage`}]:[])),v`<span class="num">${i===`not_reached`?`–`:h(r)}</span>`]),i=e.stage_executions.filter(({purpose:e})=>e!==`stage`),a=t.pauses.map(({waitedMs:e})=>h(e));return v`<p class="muted">
      ${h(t.totalMs)} of work in
      ${F(e.invocations.length,`invocation`)}${a.length===0?``:`; the run waited ${a.slice(0,10).join(`, `)} in between, which the bars leave out`}.
    </p>
    ${ht(`Stages and how long they took`,[`stage`,`state`,`when`,`time`],r)}
    ${i.length===0?v`<p>No program was started.</p>`:P(v`${F(i.length,`program`)}, one after the other`,j(`Programs`,[`program`,`item`,`status`,`when`,`time`,`command`],i.map(e=>mt(e,t))))}`}function mt(e,t){let n=e.started_at===null?void 0:o(e.started_at),r=e.status===`success`?`good`:e.status===`skipped`?`plain`:`bad`,i=e.exit_code===null?``:`, exit ${e.exit_code}`;return[I(e.purpose),e.item_id===null?`–`:T(e.item_id),v`${w(I(e.status),r)}${e.error===null?y:v` <span class="muted">${T(e.error)}</span>`}${e.error===null&&r===`bad`?i:``}`,n===void 0?`–`:gt(t,[{from:n,to:n+e.duration_ms,tone:r}]),v`<span class="num">${h(e.duration_ms)}</span>`,D([e.command,...e.args].join(` `))]}function ht(e,t,n){return v`<table class="stages">
    <caption class="vh">
      ${e}
    </caption>
    <thead>
      <tr>
        ${t.map(e=>v`<th scope="col">${e}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${n.map(([e,...t])=>v`<tr>
            <th scope="row">${e??``}</th>
            ${t.map(e=>v`<td>${e}</td>`)}
          </tr> `)}
    </tbody>
  </table>`}function gt(e,t){let n=t.map(({from:t,to:n,tone:r})=>{let i=Math.min(e.at(t),997),a=Math.max(3,e.at(n)-i);return v`<rect class="${r}" x="${X(i)}" y="0" width="${X(a)}" height="10" />`}),r=e.pauses.map(({at:e})=>v`<rect class="pause" x="${X(e)}" y="0" width="1.5" height="10" />`);return v`<svg class="bar" viewBox="0 0 ${ft} 10" preserveAspectRatio="none" aria-hidden="true" focusable="false">
    ${n}${r}
  </svg>`}function X(e){return Math.round(e*10)/10}function _t({invocations:e,stopped_at:t,transitions:n,stage_executions:r}){let i=[...n.map(({at:e})=>o(e)),...r.flatMap(({started_at:e,duration_ms:t})=>e===null?[]:[o(e)+t])],a=t===null?Math.max(0,...i.slice(-1)):o(t),s=e.map(({started_at:e,ended_at:t})=>{let n=o(e);return{start:n,end:Math.max(n,t===null?a:o(t))}}),c=s.reduce((e,{start:t,end:n})=>e+n-t,0),l=c===0?0:ft/c,u=e=>s.reduce((t,{start:n,end:r})=>t+Math.max(0,Math.min(r,e)-n),0);return{totalMs:c,at:e=>u(e)*l,pauses:s.slice(1).map(({start:e},t)=>{let n=s[t]?.end??e;return{at:u(n)*l,waitedMs:Math.max(0,e-n)}})}}const vt=t(dt),yt=new _(`<style>${dt}</style>`);function bt(e){return`${xt(e).toString()}\n`}function xt(e){let{report:t}=e,n=St(e);return v`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'sha256-${vt}'; base-uri 'none'; form-action 'none'"
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <meta name="color-scheme" content="light dark" />
        <title>${T(t.verdict)} · ${T(t.plan_id)}</title>
        ${yt}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the report</a>
        ${Ct(t)}
        <div class="page">
          <nav aria-label="Sections">
            <ul>
              ${n.map(({id:e,name:t})=>v`<li><a href="#${e}">${t}</a></li> `)}
            </ul>
          </nav>
          <main id="main" tabindex="-1">
            ${n.map(({id:e,name:t,content:n})=>v`<section id="${e}" aria-labelledby="${e}-name">
                  <h2 id="${e}-name">${t}</h2>
                  ${n}
                </section> `)}
          </main>
        </div>
        <footer>
          <p>
            Written by conveyor ${T(t.versions.conveyor??``)} from event ${t.journal_seq} of the
            journal, whose digest is <code class="digest">${T(t.journal_head)}</code>.
            <code>conveyor verify</code> derives it again. This page asks for nothing from anywhere.
          </p>
        </footer>
      </body>
    </html>`}function St(e){let{report:t,texts:n}=e,r=(e,t,n)=>({id:e,name:t,content:n});return[r(`next`,t.terminal_state===`done`?`Nothing is left to do`:`What would unblock it`,Et(t)),r(`timeline`,`Timeline`,pt(t)),r(`items`,`Items`,$e(e)),...t.validation===null?[]:[r(`validation`,`Validation`,v`<p>
                ${w(t.validation.passed?`passed`:`failed`,t.validation.passed?`good`:`bad`)} The
                plan's own commands on the run branch at ${O(t.validation.commit)}.
              </p>
              ${N(t.validation.failures.slice(0,50).map(T))}${q(t.validation.commands,n)}`)],r(`gates`,`Gates`,he(t)),r(`approvals`,`Approvals`,ge(t)),r(`cost`,`Cost`,de(t)),r(`sandbox`,`Sandbox`,ue(t)),...t.warnings.length===0?[]:[r(`warnings`,`Warnings`,me(t))],r(`provenance`,`Where from, where to`,pe(t))]}function Ct(e){let t=e.items.filter(({terminal_state:e})=>e===`passed`).length,{word:n,tone:r}=Tt(e),i=e.stopped_at===null?y:v`, stopped ${k(e.stopped_at)}`,a=e.interrupted_by===null?``:`, ended from outside by ${e.interrupted_by}`;return v`<header class="top">
    <div class="inner">
      <p class="kicker">Plan Conveyor <span aria-hidden="true">/</span> ${T(e.plan_id)}</p>
      <h1><span class="state ${r}">${n}</span> ${t} of ${e.items.length} items passed</h1>
      <p class="muted">${D(e.run_id)} started ${k(e.created_at)}${i} UTC${a}</p>
      <p class="muted">
        ${e.delivered?`Delivered as`:`Not delivered:`} ${D(e.branch)} at ${O(e.head_sha)}
      </p>
      ${N(e.blocked_reason_codes.map(B),`codes`)}
      ${e.failure===null?y:E(e.failure,`failure`)}
      <dl class="facts">${wt(e)}</dl>
    </div>
  </header>`}function wt(e){let{audit:t,cost:n,gate_decisions:r,policy:i,sandbox:a}=e,o=r.filter(e=>!e.passed).map(({gate:e})=>e),s=g(e).reduce((e,t)=>e+t.duration_ms,0),c=t.items.flatMap(e=>e.rounds),l=[...new Set(c.flatMap(e=>e.lanes.map(({lane:e})=>e)))],d=l.length===0?``:`, by ${T(l.join(`, `))}`;return[z(`Audited`,I(t.status),`${t.items_audited} of ${e.items.length} items${d}`),r.length===0?z(`Gates`,`not evaluated`):z(`Gates`,`${r.length-o.length} of ${r.length} passed`,o.join(`, `)),z(`Time`,h(s),e.resumes===0?``:`resumed ${F(e.resumes,`time`)}`),z(`Cost`,u(n.total),n.limit_usd===null?``:`limit $${n.limit_usd}`),i===null?z(`Risk`,`not decided`,`${e.mode} mode`):z(`Risk`,w(i.risk.tier,H(i.risk.tier)),`${e.mode} mode`),a===null?z(`Sandbox`,`not probed`):z(`Sandbox`,`tier ${a.tier}`,T(a.why))]}function Tt({terminal_state:e,handoff:t,interrupted_by:n,stopped_at:r}){return e===null?t?{word:`handoff`,tone:`wait`}:r===null?{word:`not stopped`,tone:`plain`}:{word:n===null?`stopped`:`interrupted`,tone:`wait`}:{word:e,tone:e===`done`?`good`:e===`blocked`?`wait`:`bad`}}function Et({next_actions:e,terminal_state:t}){if(e.length===0)return v`<p>
      ${t===`done`?`Every item passed, every gate did.`:`There is no command for this: the codes above say what happened.`}
    </p>`;let n=({what:e,command:t})=>v`${E(e)}${t===null?y:v`<pre class="command" tabindex="0" role="group" aria-label="Command to copy"><code>${t}</code></pre>`}`;return v`<ol class="acts">
    ${e.slice(0,20).map(e=>v`<li>${n(e)}</li> `)}
  </ol>`}function Dt(e){return e.length}function Z(e,t){let n=t||{},r=(n.align||[]).concat(),i=n.stringLength||Dt,a=[],o=[],s=[],c=[],l=0,u=-1;for(;++u<e.length;){let t=[],r=[],a=-1;for(e[u].length>l&&(l=e[u].length);++a<e[u].length;){let o=Ot(e[u][a]);if(n.alignDelimiters!==!1){let e=i(o);r[a]=e,(c[a]===void 0||e>c[a])&&(c[a]=e)}t.push(o)}o[u]=t,s[u]=r}let d=-1;if(typeof r==`object`&&`length`in r)for(;++d<l;)a[d]=kt(r[d]);else{let e=kt(r);for(;++d<l;)a[d]=e}d=-1;let f=[],p=[];for(;++d<l;){let e=a[d],t=``,r=``;e===99?(t=`:`,r=`:`):e===108?t=`:`:e===114&&(r=`:`);let i=n.alignDelimiters===!1?1:Math.max(1,c[d]-t.length-r.length),o=t+`-`.repeat(i)+r;n.alignDelimiters!==!1&&(i=t.length+i+r.length,i>c[d]&&(c[d]=i),p[d]=i),f[d]=o}o.splice(1,0,f),s.splice(1,0,p),u=-1;let m=[];for(;++u<o.length;){let e=o[u],t=s[u],r=n.fillRows===!1?Math.max(1,o[u===1?0:u].length):l;d=-1;let i=[];for(;++d<r;){let o=e[d]||``,s=``,l=``;if(n.alignDelimiters!==!1){let e=c[d]-(t[d]||0),n=a[d];if(n===114)s=` `.repeat(e);else if(n===99){let t=e/2;e%2?(s=` `.repeat(t+.5),l=` `.repeat(t-.5)):(s=` `.repeat(t),l=s)}else l=` `.repeat(e)}n.delimiterStart!==!1&&!d&&i.push(`|`),n.padding===!1||n.alignDelimiters===!1&&o===``||n.delimiterStart===!1&&!d||i.push(` `),n.alignDelimiters!==!1&&i.push(s),i.push(o),n.alignDelimiters!==!1&&i.push(l),n.padding!==!1&&i.push(` `),(n.delimiterEnd!==!1||d!==r-1)&&i.push(`|`)}m.push(n.delimiterEnd===!1?i.join(``).replace(/ +$/,``):i.join(``))}return m.join(`
`)}function Ot(e){return e==null?``:String(e)}function kt(e){let t=typeof e==`string`?e.codePointAt(0):0;return t===67||t===99?99:t===76||t===108?108:t===82||t===114?114:0}function At(e){let t=e.items.flatMap(e=>e.rounds.map(t=>({itemId:e.item_id,round:t}))),n=e.items.flatMap(({item_id:e,gate:t})=>t===null?[]:[{itemId:e,gate:t}]),r=[...new Set(t.flatMap(({round:e})=>e.lanes.map(({lane:e})=>e)))].sort();return[...t.length===0?[]:[`## Audits`,Z([[`item`,`attempt`,`round`,`red, green`,...r.map(m),`together`,`packet`],...t.map(({itemId:e,round:t})=>[m(e),String(t.attempt),String(t.round),m(t.red_green===`not_proven`?`not proven: ${t.red_green_gap}`:t.red_green??``),...r.map(e=>jt(t,e)),t.outcome,t.packet_sha256??``])])],...Mt(t),...Pt(t),...n.length===0?[]:[`## Manual gates`,Z([[`item`,`type`,`decision`,`by`,`authority`,`why asked`,`note`,`evidence`,`commit`],...n.map(({itemId:e,gate:t})=>[m(e),t.gate_type,t.decision===`none`?`open`:t.decision,m(t.by),t.authority,m(t.reason),m(t.note),t.evidence.map(e=>`${m(e.path)} ${e.sha256}`).join(`, `),t.commit])])]]}function jt(e,t){let n=e.lanes.find(e=>e.lane===t);if(n===void 0)return``;let r=n.outcome===`findings`?`${n.findings} found${n.blocks?`, blocks`:``}`:n.outcome,i=n.failed_answers===0?``:` (${n.failed_answers} answers proved nothing)`;return`${r}${n.why===``?``:`: ${m(n.why)}`}${i}`}function Mt(e){let t=e.flatMap(({itemId:e,round:t})=>t.findings.map(n=>[m(e),String(t.round),`${n.severity}${n.is_blocking?`, blocking`:``}`,m(n.title),m(n.sources.map(Nt).join(`, `)),`${n.disposition} by ${n.decided_by}`,m(n.disposition_reason)]));return t.length===0?[]:[`## Findings`,Z([[`item`,`round`,`severity`,`what`,`found by`,`disposition`,`why`],...t])]}function Nt(e){return e.kind===`lane`?e.lane:`the orchestrator`}function Pt(e){let t=e.flatMap(({itemId:e,round:t})=>{let n=`${e}, round ${t.round}`;return[...t.triage.answer===`rejected`?[`${n}: its answer does not count: ${t.triage.why}`]:[],...t.triage.refused.map(({finding_id:e,asked:t,why:r})=>`${n}: ${t} for ${e}: ${r}`)]});return t.length===0?[]:[`### Refused to the triage program`,t.map(e=>`- ${p(e)}`).join(`
`)]}function Q({audit:e}){if(e.status===`not_audited`)return`No independent auditor has judged it: **not audited**.`;let t=e.items.flatMap(e=>e.rounds.flatMap(e=>e.lanes.map(({lane:e})=>e)));return`Independent auditors (${p([...new Set(t)].join(`, `))}) judged ${e.items_audited} of ${e.items.length} items.`}function Ft(e){return e.next_actions.map(e=>e.command===null?`- ${p(e.what)}`:`- ${p(e.what)} \`${f(e.command)}\``).join(`
`)}function It({gate_decisions:e}){return e.length===0?`Not evaluated: the run stopped before them.`:Z([[`gate`,`passed`,`signal`,`code`,`detail`],...e.map(e=>[e.gate,e.passed?`yes`:`no`,e.signal,e.reason_code??``,m(e.detail)])])}function Lt({cost:{total:e,items:t,lanes:n,limit_usd:r}}){if(e.sessions===0)return[];let i=(e,t,n)=>[e,String(t.sessions),u(t),n,d(t)];return[`${r===null?`Without a limit`:`Limit $${r}`}: ${u(e)}.`,Z([[`of`,`sessions`,`cost`,`budget`,`tokens`],...t.map(e=>i(m(`item ${e.item_id}`),e,l(e.budget_usd,`item`))),...n.map(e=>i(m(e.lane),e,l(e.budget_usd,`session`))),i(`all`,e,l(r,`item`))])]}function Rt(e){return`${[`# ${p(e.verdict)}`,`Run \`${e.run_id}\` of plan \`${f(e.plan_id)}\`. ${Q(e)}`,...e.failure===null?[]:[`Why: ${p(e.failure)}`],...$(`## What would unblock it`,e.next_actions.length===0?[]:[Ft(e)]),`## Items`,Z([[`item`,`state`,`attempts`,`commit`,`codes`,`what`],...e.items.map(e=>[m(e.item_id),e.terminal_state??`not settled`,String(e.attempts.length),e.commit===null?``:e.commit,e.reason_codes.join(`, `),m(e.action)])]),...e.items.flatMap(Vt),...At(e.audit),`## Policy`,zt(e),`## Sandbox`,...Bt(e),`## Gates`,It(e),...$(`## Cost`,Lt(e)),...Ut(e),`## Programs`,Wt(e),`## Where from, where to`,Z([[`what`,`value`],[`base`,e.base_commit],[`head`,e.head_sha],[`branch`,`${m(e.branch)}${e.delivered?``:` (not delivered)`}`],[`plan digest`,e.digests.plan_sha256],[`policy digest`,`${e.digests.policy_sha256} (${e.digests.config_authority})`],[`journal head`,`${e.journal_head} (event ${e.journal_seq})`],...Object.entries(e.versions).map(([e,t])=>[e,t])]),...e.warnings.length===0?[]:[`## Warnings`,...e.warnings.map(e=>`- ${p(e)}`)]].join(`

`)}\n`}function zt({mode:e,policy:t}){if(t===null)return`Mode ${e}. Not decided: the run stopped before.`;let{risk:n,approvals:r,refusals:i}=t;return[`- ${t.decision}, in ${e} mode, at ${n.tier} risk`,...n.reasons.map(({tier:e,text:t})=>`- ${e}: ${p(t)}`),...r.map(({tier:e,authority:t,approver:n,counts:r,self_approved:i,refused_by:a})=>`- ${e} risk was approved by ${n===null?`the ${t}, which names nobody`:`${p(n)} (${t}${i?`, self-approved`:``})`}${r?``:`; it does not count: ${a.join(`, `)}`}`),...i.map(({code:e,text:t})=>`- refused, ${e}: ${p(t)}`)].join(`
`)}function Bt({sandbox:e,stage_executions:t}){if(e===null)return[`Not probed: no program was started.`];let n=e.facts.trial.kind===`ran`?e.facts.trial.probes:[],r=t.flatMap(e=>e.network.map(t=>({...t,purpose:e.purpose})));return[`Tier ${e.tier} (level ${e.level}, minimum tier ${e.minimum_tier}): ${p(e.why)}.`,Z([[`layer`,`strength`,`what that means`],...e.layers.map(({layer:e,strength:t,detail:n})=>[e,t,m(n)])]),...n.length===0?[]:[`A program inside tried each of these when the run started:`,Z([[`probe`,`outcome`,`seen`],...n.map(({probe:e,outcome:t,detail:n})=>[e,t,m(n)])])],...r.length===0?[]:[`Programs asked the proxy for:`,Z([[`host`,`for`,`allowed`,`requests`,`bytes sent`,`bytes received`],...r.map(e=>[m(`${e.host}:${e.port}`),e.purpose,e.allowed?`yes`:`no`,String(e.requests),String(e.sent_bytes),String(e.received_bytes)])])]]}function $(e,t){return t.length===0?[]:[e,...t]}function Vt(e){let t=e.attempts.flatMap(e=>e.candidates.flatMap(t=>[...t.violations.map(({code:n,path:r,detail:i})=>`attempt ${e.attempt}, round ${t.round}: ${n} ${r}: ${i}`),...t.failures.map(n=>`attempt ${e.attempt}, round ${t.round}: ${n}`)]));return t.length===0?[]:[`### Found in ${p(e.item_id)}`,t.map(e=>`- ${p(e)}`).join(`
`)]}const Ht={short:`its value is too short`,ordinary:`its value is like any other word or number`,published:`its value stands in the plan or the configuration`};function Ut({redactions:{count:e,names:t,left:n}}){if(t.length+n.length===0)return[];let r=t.length===0?``:` of ${t.map(p).join(`, `)}`;return[`## Secrets`,[`- ${e} place${e===1?``:`s`} where a value${r} stood ${e===1?`is`:`are`} redacted`,...n.map(({name:e,why:t})=>`- ${p(e)} is not redacted: ${Ht[t]}`)].join(`
`)]}function Wt(e){let t=e.stage_executions;return t.length===0?`None was started.`:Z([[`stage`,`what for`,`item`,`command`,`status`,`exit`,`ms`],...t.map(e=>[e.stage,e.purpose,m(e.item_id??``),m([e.command,...e.args].join(` `).slice(0,160)),e.status,e.exit_code===null?``:String(e.exit_code),String(e.duration_ms)])])}async function Gt(e,t){let n=/* @__PURE__ */ new Map,r=2097152;for(let{path:i,headMax:a,tailMax:o}of W(e)){if(r<a+o)continue;let e=await t(i,a,o);e!==void 0&&(n.set(i,{...ce(e),bytes:e.bytes}),r-=e.head.length+e.tail.length)}return{report:e,texts:n}}export{Q as a,bt as c,W as d,C as f,h,Lt as i,Re as l,g as m,Rt as n,It as o,oe as p,Ft as r,Z as s,Gt as t,Le as u};