// Seeds of the fuzz tests, as Latin-1; test/helpers/fuzz.ts mutates them.

const part = (disposition: string, content: string, more = '') =>
  `--b\r\nContent-Disposition: ${disposition}\r\n${more}\r\n${content}\r\n`

/** Forms with the boundary `b`. */
export const formSeeds = [
  `${part('form-data; name="file"; filename="a.txt"', 'one')}--b--\r\n`,
  `${part('form-data; name="f"; filename="a"', 'one')}${part('form-data; name="f"; filename="dir/b"', 'two')}--b--\r\n`,
  `${part('form-data; name="title"', 'words')}${part('form-data; name="f"; filename="a"', '')}--b--`,
  `${part('form-data; name="f"; filename=""', '')}--b--\r\n`,
  `${part('form-data; name="f"; filename="a\\"b"', '--b\r\n--\r\n-b', 'Content-Type: text/plain\r\n')}--b--\r\n`,
  `${part("form-data; name=f; filename*=UTF-8''%c3%a4", 'x', 'Content-Transfer-Encoding: binary\r\n')}--b--\r\n`,
  `\r\n${part('form-data; name="f"; filename="a"', 'x'.repeat(5000))}--b--\r\n`,
  '--b--\r\n',
  '',
] as const

export const formTokens = [
  ...['--b', '\r\n--b\r\n', '\r\n--b--', '--b--', '\r\n', '\n', '\r', '\r\n\r\n', '--', ';', '"', '\\', '=', '%', '\0'],
  ...['filename="b"', 'filename*=', 'name="file"', 'filename="../x"', 'filename="a/"', 'multipart/mixed; boundary=c'],
  ...['Content-Disposition: form-data; name="f"; filename="c"\r\n', 'Content-Length: 5\r\n', 'form-data', 'attachment'],
] as const

const close = 'Connection: close\r\n'
const start = (line: string, headers = '', body = '') =>
  `${line} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer TOKEN\r\n${headers}\r\n${body}`

/** Requests, one or more on a connection. `TOKEN` is replaced by a token. */
export const headSeeds = [
  start('GET /files', close),
  start('GET /files/a', `Range: bytes=1-3\r\nIf-None-Match: "x"\r\n${close}`),
  start('HEAD /files/a', `If-Modified-Since: Tue, 01 Jan 2030 00:00:00 GMT\r\n${close}`),
  start('PUT /files/b', `Content-Length: 3\r\n${close}`, 'abc'),
  start('PUT /files/b', `Transfer-Encoding: chunked\r\nTrailer: Content-Digest\r\n${close}`, '3\r\nabc\r\n0\r\n\r\n'),
  start('PUT /files/b', `Content-Length: 3\r\nExpect: 100-continue\r\nFilejobs-Rate-Limit: 1000000\r\n${close}`, 'abc'),
  start('POST /tus', `Tus-Resumable: 1.0.0\r\nUpload-Length: 3\r\nUpload-Metadata: filename YQ==\r\n${close}`),
  start('OPTIONS /files/a', `Origin: http://x\r\nAccess-Control-Request-Method: PUT\r\n${close}`),
  start('POST /auth/login', `Content-Type: application/json\r\nContent-Length: 17\r\n${close}`, '{"username":"x"} '),
  start('GET /jobs?state=running&limit=3', `Accept: text/event-stream\r\n${close}`),
  start('POST /query', `Content-Type: application/json\r\nContent-Length: 18\r\n${close}`, '{"sql":"select 1"}'),
  start('GET /files/a') + start('DELETE /files/b') + start('GET /healthz', close),
  'GET /readyz HTTP/1.0\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
] as const

export const headTokens = [
  ...[
    '\r\n',
    '\n',
    '\r',
    '\0',
    ' ',
    '\t',
    ':',
    ',',
    ';',
    '%',
    '%00',
    '%2e%2e/',
    '/../',
    '//',
    '?',
    '#',
    '\x80',
    '\xff',
  ],
  ...[
    'HTTP/1.1',
    'HTTP/2.0',
    'http://127.0.0.1/files',
    'Host: a\r\n',
    'Content-Length: 5\r\n',
    'Content-Length: -1\r\n',
  ],
  ...['Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: gzip\r\n', 'Connection: close\r\n', 'Expect: x\r\n'],
  ...['Range: bytes=-\r\n', 'Range: bytes=9-1,2-\r\n', 'If-Match: *\r\n', 'Cookie: a=b\r\n', 'Prefer: wait=1\r\n'],
  ...['Upload-Offset: 0\r\n', 'Content-Digest: sha-256=:x:\r\n', 'Content-Encoding: gzip\r\n', 'ffffffffffffffff\r\n'],
] as const

export const csvSeeds = [
  'id,name,at\n1,x,2014-10-08\n2,"a ""b"", c",2014-10-09\n',
  'a;b\r\n1,5;x\r\n2,5;"y\r\nz"\r\n',
  '\xef\xbb\xbfa\tb\n1\t\n\t2\n',
  'a|b|c\n1|2|3',
  'a,b\n1,\n2,""\n,\n',
  'only\n1\n2\n3\n',
  'a,b\n1.5,true\n1e3,false\nx,nan\n',
  'time,amount\n2014-10-08T12:00:00+02:00,9223372036854775808\n',
  '"a","b"\n"1","2"\n',
  'a,a,\n1,2,3\n',
] as const

export const csvTokens = [
  ...[
    ',',
    ';',
    '\t',
    '|',
    '"',
    '""',
    "'",
    '\n',
    '\r',
    '\r\n',
    '\n\n',
    '\0',
    ' ',
    '\\',
    '\xef\xbb\xbf',
    '\xff\xfe',
    '\xe4',
  ],
  ...[
    '\xc3\xa4',
    '\xc3',
    '1.5',
    '-',
    '1e400',
    'nan',
    'true',
    '2014-02-30',
    '10/08/2014',
    '12:30',
    '<!DOCTYPE html>',
    '=',
  ],
] as const
