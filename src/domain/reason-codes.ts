/**
 * Every reason code, with what it means and what to do. `docs/policy-and-gates.md` is checked against this tuple.
 * A code exists here only when something can give it.
 */
export const REASON_CODES = {
  GATE_POLICY_DENIED_OR_UNKNOWN: {
    means:
      "The policy gate did not receive `allow` for the delivered head, or the run's own policy decision is not allow.",
    act: "Find out why policy did not allow it; when it really does, resume with --gates github, or with --policy-status allow.",
  },
  GATE_CI_NOT_SUCCESS: {
    means: "CI is missing, pending or failing on the delivered head.",
    act: "Let CI finish on exactly that commit; when it is green, resume with --gates github, or with --ci-status success.",
  },
  GATE_REVIEW_NOT_APPROVED: {
    means: "Nobody has approved the delivered head, or changes were requested.",
    act: "Have the branch reviewed; when it is approved, resume with --gates github, or with --review-status approved.",
  },
  COST_LIMIT: {
    means:
      "The known cost of the run's agents, or its requests with a held key, have reached their limit; nothing more was started.",
    act: "Look at cost and network in the report; when more may be spent, resume with a higher --max-cost-usd.",
  },
  SANDBOX_UNAVAILABLE: {
    means: "A sandbox is required, and this machine did not prove one of sandbox.minimum-tier.",
    act: "Read why in the report, install bubblewrap or allow user namespaces, then resume; conveyor doctor tries it.",
  },
  BLOCK_SIMULATED: {
    means: "The block was asked for with --simulate-blocked; the gates were evaluated as always.",
    act: "Resume without --simulate-blocked.",
  },
  RISK_MEDIUM_NOT_APPROVED: {
    means: "The plan is of medium risk and nobody approved that.",
    act: "Read the risk's reasons in the report; when they are acceptable, resume with ORCH_APPROVED_MEDIUM=1.",
  },
  RISK_HIGH_NOT_APPROVED: {
    means: "The plan is of high risk and nobody approved that.",
    act: "Read the risk's reasons in the report; when they are acceptable, resume with ORCH_APPROVED_HIGH=1.",
  },
  MODE_FULL_NOT_ALLOWED: {
    means: "Full mode was asked for and the environment does not allow it.",
    act: "Run with --mode guarded, or set ORCH_ALLOW_FULL_AUTONOMY=1.",
  },
  AUTONOMY_NOT_ALLOWED: {
    means: "The plan's Autonomy-Allowed does not name the mode of this run.",
    act: "Run in the mode that the plan allows, or have the plan changed and start a new run.",
  },
  CONSENT_NOT_ENABLED: {
    means: "No person asked for this run, and the consent of the repository does not allow it.",
    act: "Set consent.auto-enabled on the trusted branch, or start the plan by hand.",
  },
  CONSENT_EXPIRED: {
    means: "No person asked for this run, and the repository's consent has ended or names no end.",
    act: "Set consent.expires to a later day on the trusted branch, or start the plan by hand.",
  },
  CONSENT_NOT_CONTINUOUS: {
    means: "No person asked, and consent does not reach to another plan in this loop.",
    act: "Wait for the next schedule, or set consent.continuous and consent.max-iterations on the trusted branch.",
  },
  CONSENT_APPLY_NOT_ALLOWED: {
    means: "No person asked, and consent does not allow a branch or pull request to be made.",
    act: "Set consent.allow-apply on the trusted branch, or start the plan by hand.",
  },
  PAUSED: {
    means: "The repository is paused, or nobody could find out whether it is.",
    act: "Clear the variable CONVEYOR_PAUSE and close the issue with the label conveyor:pause, then run again.",
  },
  PLAN_DIGEST_CHANGED: {
    means: "The plan at the tip of the trust ref is not the plan this run was started with.",
    act: "Start a new run of the changed plan, or restore the plan and resume.",
  },
  POLICY_DIGEST_CHANGED: {
    means: "The policy or configuration at the tip of the trust ref is not the one this run was started with.",
    act: "Start a new run under the changed policy, or restore it and resume.",
  },
  PLAN_MARKED_BLOCKED: {
    means:
      "The plan itself says that it must not run: its Status is blocked or failed, or its Security-Approval is pending.",
    act: "Remove what blocks it, have the plan say so, then start a new run.",
  },
  ITEM_AWAITING_HUMAN_GATE: {
    means: "The item is verified and audited, and waits for a person to decide.",
    act: "Look at the candidate commit, then decide with conveyor gate approve or conveyor gate reject, and resume.",
  },
  ITEM_GATE_REJECTED: {
    means: "A person rejected the item's candidate.",
    act: "Reopen the gate with conveyor gate reopen when that was wrong, or give the item a new attempt.",
  },
  ITEM_BLOCKED_EXTERNAL: {
    means:
      "The item waits for something outside: its executor said so, or it asks for evidence only a person can supply.",
    act: "Hand in what it waits for: resume with --evidence-dir DIR.",
  },
  ITEM_ESCALATED: {
    means: "An item could not be proven and was handed to a person.",
    act: "Read the item's last attempt in the run folder, then resume with --new-attempt ITEM.",
  },
  NO_CHANGE_PRODUCED: {
    means: "Two sessions ended without changing a single file.",
    act: "Check that the executor does the item, then resume with --new-attempt ITEM.",
  },
  SCOPE_VIOLATION: {
    means:
      "A changed path lies under none of the item's write roots, or in a sensitive path while the plan's risk is not high.",
    act: "Widen allowed_write_roots in the plan, or give it Risk-Tier: high, when the change is right; otherwise mend the executor.",
  },
  PROTECTED_PATH_CHANGED: {
    means: "A protected path was changed: the built-in floor or one of policy.protected-paths.",
    act: "Make that change by hand, or list that very path as a write root of a plan whose high risk is approved.",
  },
  PATH_UNSAFE: {
    means:
      "A symlink leaves the tree, or a path has a .git-like name, control characters, a submodule or a twin that differs in case alone.",
    act: "Mend the executor; such a path never enters a candidate.",
  },
  DIFF_LIMIT_EXCEEDED: {
    means: "The change is larger than limits.diff-lines, limits.diff-files or limits.diff-bytes.",
    act: "Split the item, or raise the limit in the configuration.",
  },
  SECRET_IN_DIFF: {
    means:
      "The change adds a secret: a value of the environment, or what a rule of the secret scan takes for one. Of pack: what would be handed on has such a value.",
    act: "Revoke it if it is real; if it is none, allow the rule for its path in policy.secret-scan of the configuration, or pack without that variable.",
  },
  VERIFICATION_MISSING: {
    means: "Nothing would be verified: no required command, no artifact check, no validation command.",
    act: "Give an item required_verification_commands, or set validation.commands in the configuration.",
  },
  VERIFICATION_FAILED: {
    means: "A required command or artifact check failed on the candidate, or a validation command on the run branch.",
    act: "Read the verification log named in the report.",
  },
  RED_GREEN_NOT_PROVEN: {
    means: "The item's tests do not fail without its change, or nothing shows that they do.",
    act: "Give the item a test that fails without the change, under validation.test-paths, then resume with --new-attempt ITEM.",
  },
  AUDIT_BLOCKING_FINDING: {
    means: "An auditor's finding that asks for a fix was still open after the last round.",
    act: "Read the findings of the last round in the run folder, then resume with --new-attempt ITEM.",
  },
  AUDIT_ENGINE_FAILED: {
    means:
      "An auditor gave no usable report, also when it was asked again: none, a malformed one, one about other facts, or one that decides nothing.",
    act: "Read the auditor's log in the run folder and mend the auditor, then resume with --new-attempt ITEM.",
  },
  FIX_BUDGET_EXHAUSTED: {
    means: "The fix rounds (limits.fix-rounds) are used up and the item is still not proven.",
    act: "Read what the last round left open, then resume with --new-attempt ITEM.",
  },
  GIT_TAMPERED: {
    means:
      "A session changed git metadata that belongs to the orchestrator: HEAD, refs, hooks, config, info, alternates, index flags or stored objects.",
    act: "Mend the executor and start a new run; the old run's repository is no longer trusted.",
  },
  PROCESS_SURVIVED: {
    means: "Processes of a session outlived it; they were killed and the session's work was not used.",
    act: "Make the executor wait for what it starts, then resume with --new-attempt ITEM.",
  },
  EXECUTOR_NOT_CONFIGURED: {
    means: "No executor is configured, so nothing can do the work.",
    act: "Set executor in .github/conveyor.yml, or give --executor-bin.",
  },
  PREPARE_FAILED: {
    means: "A prepare command failed on the base, or changed a tracked file.",
    act: "Run the prepare commands by hand in a clean clone, mend them, then resume.",
  },
  SPAWN_FAILED: {
    means: "A program could not be started.",
    act: "Check the command's name, that it is on PATH and executable, then resume.",
  },
  EXIT_NONZERO: {
    means: "A program ended with a failure exit code or by a signal.",
    act: "Read its log in the run folder.",
  },
  AGENT_API_FAILED: {
    means: "A coding agent could not use its model: no connection, no right to it, or an error of its service.",
    act: "Read what it says in the report; mend key, network or model, then resume with --new-attempt ITEM.",
  },
  AGENT_REFUSED: {
    means: "The model of a coding agent refused to work on the item.",
    act: "Read the prompt in the run folder; reword the plan, or name another model, then start a new run.",
  },
  PROCESS_TIMEOUT: {
    means: "A program was over its time limit and was ended.",
    act: "Raise the time limit when that is justified, then resume.",
  },
  OUTPUT_LIMIT: {
    means: "A program wrote more than limits.output-bytes and was ended.",
    act: "Make the program quieter, or raise the limit.",
  },
  ARTIFACT_MISSING: {
    means: "An expected artifact is missing, or was not written anew by the program that should write it.",
    act: "Mend the program, or what is expected of it.",
  },
  ARTIFACT_MALFORMED: {
    means: "An expected JSON artifact is not JSON.",
    act: "Mend the program that writes it.",
  },
  RESULT_MALFORMED: {
    means: "The executor's result payload is unreadable or has an unknown status.",
    act: "Write the payload as docs/programs.md says, or none at all.",
  },
  ROLLOVER_LIMIT: {
    means: "The item handed off more often than limits.rollovers allows in one go.",
    act: "Split the item or raise the limit; a resume lets it go on for as many sessions again.",
  },
  SESSION_LIMIT: {
    means: "The item used up limits.sessions-per-item.",
    act: "Split the item, or resume with --new-attempt ITEM, which counts anew.",
  },
  NO_PROGRESS: {
    means: "Two handoffs in a row left the very same tree.",
    act: "See why the executor does not get on, then resume with --new-attempt ITEM.",
  },
  CHECKPOINT_CORRUPT: {
    means: "The checkpoint is ahead of the journal or differs from it.",
    act: "Find out what wrote to the run folder; delete the checkpoint only if you trust the journal.",
  },
  JOURNAL_CORRUPT: {
    means: "The journal is not a chain of valid events.",
    act: "Restore the run folder from a copy, or start a new run.",
  },
  ARTIFACT_TAMPERED: {
    means:
      "A file that the journal names is missing or changed, or a file stands in the run folder that no event names.",
    act: "Restore the file from a copy, or start a new run.",
  },
  STATE_WRITE_FAILED: {
    means: "The run folder could not be written, so the run stopped before claiming anything.",
    act: "Free space or mend permissions, then resume.",
  },
  LOCKED: {
    means: "Another process holds this run.",
    act: "Wait for it, or end it, then try again.",
  },
  BASE_MOVED: {
    means: "The trust ref no longer contains the run's base commit.",
    act: "Restore the branch, or start a new run on the new base.",
  },
  BASE_NOT_TRUSTED: {
    means: "The run's base commit is neither on the trusted branch nor on one of policy.trusted-refs.",
    act: "Start the run from a commit of the trusted branch, or name the branch in policy.trusted-refs there.",
  },
  PLAN_NOT_COMMITTED: {
    means: "The plan is not committed as it stands, so nobody can have approved it.",
    act: "Commit the plan, then run.",
  },
  DIRTY_CHECKOUT: {
    means: "Tracked files have changes that are not committed; they would not be part of the run.",
    act: "Commit or stash them, or give --allow-dirty to leave them out.",
  },
  REPOSITORY_UNSUPPORTED: {
    means:
      "The repository has something a run cannot carry byte for byte: submodules, LFS, a partial clone, or no commit at all; or git is too old.",
    act: "See docs/operations.md for what is supported.",
  },
  DELIVERY_REFUSED: {
    means:
      "The run branch exists with another commit than the run put there; or GitHub, its rules or its pull request do not let it be delivered.",
    act: "Read in the report what stands in the way; rename or delete such a branch when nobody needs it, then resume or publish again.",
  },
  DELIVERY_UNAVAILABLE: {
    means: "GitHub could not be reached or kept failing, so it is not known whether the run was delivered.",
    act: "Resume, or publish again: what was done is found, and is not done twice.",
  },
  EVENT_NOT_ALLOWED: {
    means:
      "The workflow was started by an event that people without write access can cause, or that nobody knows, or by an account without write access.",
    act: "Have a person with write access start it by workflow_dispatch, or start it by schedule or push; see docs/github-action.md for the events of each command.",
  },
  FORK_NOT_ALLOWED: {
    means: "The event is about a head in another repository than this one, or in one that nobody knows.",
    act: "Push the branch to this repository and start the workflow from there.",
  },
  CREDENTIALS_PERSISTED: {
    means: "Credentials of git lie where a program of the run could read and use them.",
    act: "Check out with persist-credentials: false.",
  },
  OIDC_PRESENT: {
    means: "The job can ask for an OIDC token, and so could every program of the run.",
    act: "Take id-token: write from the permissions of the job that executes.",
  },
  TOKEN_TOO_BROAD: {
    means: "The token of the job that executes can write, or GitHub did not say what it can do.",
    act: "Give that job permissions: contents: read, and publish in a job of its own.",
  },
  SELF_HOSTED_NOT_ALLOWED: {
    means: "The runner is not one that GitHub hosts and throws away: what a program leaves there meets the next job.",
    act: "Use a hosted runner, or allow it by name with allow: self-hosted.",
  },
  AMBIENT_AGENT_CONFIG: {
    means: "Configuration of coding agents on this machine or in the repository could change what they do.",
    act: "Know that it is there; agents that the configuration names are started without it, a program of your own may read it.",
  },
} as const satisfies Record<string, { readonly means: string; readonly act: string }>;

/** A stable code that says why something was refused, stopped or failed. */
export type ReasonCode = keyof typeof REASON_CODES;

/** All reason codes, in the order of the document. */
export const REASON_CODE_NAMES = Object.keys(REASON_CODES) as readonly ReasonCode[] as [ReasonCode, ...ReasonCode[]];
