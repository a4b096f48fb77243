import{a as e}from"./chunk-visible-text.js";async function t(t,n){let r=n.map(e);return t.annotate(`error`,`Wrong inputs, nothing was started:\n${r.join(`
`)}`,{title:`Plan Conveyor`}),await t.summarize([`## Wrong inputs, nothing was started`,``,...r.map(i),``].join(`
`)),1}async function n(t,n){for(let{code:r,message:i,problems:a=[]}of n){t.annotate(`error`,e(`${r} ${i}`),{title:`Plan Conveyor`});for(let n of a)t.annotate(n.severity===`error`?`error`:`warning`,e(`${n.code} ${n.message}`),{file:n.path,startLine:n.line})}let r=n.map(({code:t,message:n})=>i(e(`${t} ${n}`)));return await t.summarize([`## Refused, nothing was started`,``,...r,``].join(`
`)),1}async function r(t,n){let r=n instanceof Error?n.stack??n.message:String(n);return t.write(`::endgroup::`),t.annotate(`error`,`Plan Conveyor failed: ${e(r)}`,{title:`Plan Conveyor`}),await t.summarize(`## Plan Conveyor failed

The log of the step says why.
`),1}function i(e){return`- \`\` ${e.replaceAll("`",`'`).replaceAll(`
`,` `)} \`\``}export{n,t as r,r as t};