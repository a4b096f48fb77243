/** What takes a run to make, made when the first test asks for it and handed to all: none depends on another's turn. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
