import { join } from "node:path";
import { world } from "../compose/world.ts";
import { err, ok, type Result } from "../domain/result.ts";

/** An artifact as it was taken by GitHub. */
export interface UploadedArtifact {
  readonly name: string;
  readonly id: number;
  readonly url: string;
  /** SHA-256 of its bytes. */
  readonly digest: string;
}

/** What is uploaded, and where it can be seen. */
export interface UploadRequest {
  readonly name: string;
  /** Absolute path of a folder; its files are uploaded by their names. */
  readonly folder: string;
  readonly files: readonly string[];
  readonly retentionDays: number | undefined;
  /** Address of the workflow run on GitHub. */
  readonly runUrl: string;
}

/** Uploads an artifact with GitHub's own client, which is loaded now and not before. The error is for people. */
export async function uploadArtifact(request: UploadRequest): Promise<Result<UploadedArtifact, string>> {
  const { name, folder, files, retentionDays, runUrl } = request;
  try {
    const { DefaultArtifactClient } = await import("@actions/artifact");
    const paths = files.map((file) => `${folder}/${file}`);
    const { id, digest } = await new DefaultArtifactClient().uploadArtifact(name, paths, folder, {
      // What is handed on is compressed where that pays already, and bytes that are as they were are easier to compare.
      compressionLevel: 0,
      ...(retentionDays === undefined ? {} : { retentionDays }),
    });
    if (id === undefined || digest === undefined) return err("GitHub did not say the artifact's id and digest");
    return ok({ name, id, digest, url: `${runUrl}/artifacts/${id}` });
  } catch (fault) {
    return err(fault instanceof Error ? fault.message : String(fault));
  }
}

/** Whose artifact it is, and with which token it is asked for. */
export interface ArtifactPlace {
  readonly owner: string;
  readonly repo: string;
  readonly token: string;
  readonly workflowRun: number;
}

/** Downloads an artifact as it was uploaded, one zip file, into a new folder; gives the file's absolute path. */
export async function downloadArtifact(
  id: number,
  folder: string,
  { owner, repo, token, workflowRun }: ArtifactPlace,
): Promise<Result<string, string>> {
  try {
    const { DefaultArtifactClient } = await import("@actions/artifact");
    await new DefaultArtifactClient().downloadArtifact(id, {
      path: folder,
      skipDecompress: true,
      findBy: { token, workflowRunId: workflowRun, repositoryOwner: owner, repositoryName: repo },
    });
    const [name, ...more] = world.listFolder(folder) ?? [];
    return name === undefined || more.length > 0 ? err("GitHub gave no file, or several") : ok(join(folder, name));
  } catch (fault) {
    return err(fault instanceof Error ? fault.message : String(fault));
  }
}
