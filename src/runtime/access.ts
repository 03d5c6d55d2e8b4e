import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { TwinspoolError } from "../protocol/errors.ts";
import { isLoopback } from "./loopback.ts";

/** Why a request is not let in. */
export interface Refusal {
  readonly status: number;
  readonly error: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface AccessRules {
  readonly key?: string | undefined;
  /** Names besides loopback that a Host header may hold while there is no key. */
  readonly hostNames?: readonly string[];
}

/**
 * Makes the check that every request and every WebSocket passes first: the right key when there is one, and no web page
 * of somebody else acting through a browser on this network.
 */
export function accessCheck(rules: AccessRules): (headers: IncomingHttpHeaders) => Refusal | undefined {
  const hasKey = rules.key === undefined ? undefined : keyCheck(rules.key);
  const names = new Set((rules.hostNames ?? []).map((name) => name.toLowerCase()));
  return (headers) => {
    const host = headers.host === undefined ? undefined : parseHost(headers.host);
    if (headers.host !== undefined && host === undefined) return forbidden(400, "the Host header is no host");
    // DNS rebinding: a foreign page whose name was made to point here still names itself as Host. With a key such a
    // page has nothing to show; without one this listener is on loopback, and only loopback names are its own.
    if (hasKey === undefined && host !== undefined && !isLoopback(host.hostname) && !names.has(host.hostname)) {
      return forbidden(403, "the Host header names another host; use 127.0.0.1 or localhost");
    }
    // Browsers put Origin (RFC 6454 §7) on every request that another site's page makes them send with effects.
    if (headers.origin !== undefined && (host === undefined || originHost(headers.origin) !== host.host)) {
      return forbidden(403, "a web page of another site may not do this");
    }
    if (hasKey === undefined || hasKey(headers.authorization)) return undefined;
    // Browsers and IPP clients know no Bearer, but ask a person for a password when they see this (RFC 7617).
    return {
      status: 401,
      error: new TwinspoolError("key-wrong"),
      headers: { "www-authenticate": 'Basic realm="twinspool", charset="UTF-8"' },
    };
  };
}

function forbidden(status: number, detail: string): Refusal {
  return { status, error: new TwinspoolError("request-invalid", detail) };
}

/** `authorization: Bearer KEY`, or Basic with the key as password and any user. */
function keyCheck(key: string): (authorization: string | undefined) => boolean {
  // Digests have one length, as the constant-time comparison asks for, and say nothing about the key's.
  const wanted = digest(key);
  return (authorization = "") => {
    const [, scheme = "", token = ""] = /^(\w+) +(\S+) *$/.exec(authorization) ?? [];
    let given = "";
    if (scheme.toLowerCase() === "bearer") given = token;
    if (scheme.toLowerCase() === "basic") {
      const pair = Buffer.from(token, "base64").toString("utf8");
      given = pair.slice(pair.indexOf(":") + 1);
    }
    return timingSafeEqual(digest(given), wanted);
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

function parseHost(host: string): URL | undefined {
  // Only host and port may stand here (RFC 9110 §7.2).
  return /^[^\s/?#@\\]+$/.test(host) ? parseUrl(`http://${host}`) : undefined;
}

function originHost(origin: string): string | undefined {
  return parseUrl(origin)?.host;
}

function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
