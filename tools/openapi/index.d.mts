/** The types of an OpenAPI 3.1 document, as TypeScript text. */
export function typesOf(document: unknown): Promise<string>;
