import type { Role } from '../../protocol/roles.js'
import type { RouteEntry, RouteKey } from './route-entry.js'

/** Accounts with a space of their own to change; a client only reads what ops accounts publish. */
const owners = ['user', 'ops', 'admin'] as const satisfies readonly Role[]
const publishers = ['ops'] as const satisfies readonly Role[]
const clients = ['client'] as const satisfies readonly Role[]
const admins = ['admin'] as const satisfies readonly Role[]

const page = { access: 'open', caching: 'public' } as const
const state = { access: 'open', caching: 'never' } as const
/** Responds with a token. */
const login = { access: 'open', caching: 'never' } as const
const own = { access: 'account', caching: 'private', cookie: true } as const
const admin = { ...own, access: admins } as const
/** The response holds links that work without a token. */
const shares = { ...own, caching: 'never' } as const
/** An admin sees, pauses, limits and stops the jobs of every account. */
const anyJob = { ...own, everyAccount: admins } as const
const tus = { ...own, caching: 'never', methodOverride: true } as const
/** The link is the credential: the handler checks it. */
const sender = { access: 'open', caching: 'never' } as const
const senderTus = { ...sender, methodOverride: true } as const
/** The five interfaces of docs/dialects.md accept no cookie: their clients do not send the CSRF header. */
const dialect = { access: 'account', caching: 'private' } as const
const collect = { ...dialect, access: owners, errors: 'collect' } as const
const collectLogin = { ...login, errors: 'collect' } as const
const plainLogin = { ...login, errors: 'plain', crossSite: 'refused' } as const

/**
 * Every route of the server, and the only place that says who may use it. A GET answers HEAD too. Only lists without secrets
 * are `compressed`: the length of a response that holds a secret beside text of an attacker's choice would reveal the secret
 * (BREACH). Links of shares are secrets.
 */
export const routeTable = {
  'GET /': page,
  'GET /account': page,
  'GET /shared': page,
  'GET /admin/{view}': page,
  'GET /admin/jobs/{id}': page,
  'GET /assets/{file}': page,
  'GET /favicon.svg': page,
  'GET /manifest.webmanifest': page,
  'GET /icons/{file}': page,
  'GET /openapi.json': { ...page, operationId: 'getApiDocument' },
  'GET /docs': { ...page, operationId: 'getDocsPage' },
  'GET /healthz': { ...state, operationId: 'getHealth' },
  'GET /readyz': { ...state, operationId: 'getReadiness' },
  // The handler checks the token of the metrics.
  'GET /metrics': { ...state, operationId: 'getMetrics' },
  'GET /features': { ...state, operationId: 'getFeatures' },

  'POST /auth/signup': { ...login, operationId: 'signUp' },
  'POST /auth/login': { ...login, operationId: 'logIn' },
  'POST /auth/cookie': { ...login, operationId: 'logInPage' },
  'POST /auth/tokens': { ...login, operationId: 'createTokenPair' },
  'POST /auth/tokens/refresh': { ...login, operationId: 'refreshToken' },
  'POST /auth/logout': { ...own, operationId: 'logOut', audit: 'logout' },
  'GET /auth/cookie': { ...state, operationId: 'getPageAccount' },
  'GET /auth/me': { ...own, operationId: 'getOwnAccount' },
  'GET /auth/sessions': { ...own, operationId: 'listSessions' },
  'DELETE /auth/sessions/{id}': { ...own, operationId: 'revokeSession', audit: 'session.revoke' },
  'POST /auth/password': { ...own, operationId: 'changePassword', audit: 'password.change' },

  'GET /accounts': { ...admin, operationId: 'listAccounts', compressed: true },
  'POST /accounts': { ...admin, caching: 'never', operationId: 'createAccount', audit: 'account.create' },
  'PATCH /accounts/{account}': { ...admin, operationId: 'changeAccount', audit: 'account.change' },
  'DELETE /accounts/{account}': { ...admin, operationId: 'removeAccount', audit: 'account.remove' },
  'POST /accounts/{account}/invitation': {
    ...admin,
    caching: 'never',
    operationId: 'inviteAccount',
    audit: 'account.invite',
  },
  'GET /server': { ...admin, caching: 'never', operationId: 'getServer' },
  'POST /server/check': { ...admin, caching: 'never', operationId: 'checkStorage' },
  'GET /server/log': { ...admin, caching: 'never', operationId: 'getLog' },
  'GET /server/log/events': { ...admin, caching: 'never', operationId: 'watchLog' },
  'GET /invitations/{token}': { ...login, operationId: 'getInvitation' },
  'POST /invitations/{token}': { ...login, operationId: 'acceptInvitation', audit: 'invitation.accept' },

  'POST /upload': { ...own, operationId: 'uploadForm', access: owners },
  'POST /upload/stop': { ...own, operationId: 'stopUploads' },
  'POST /export': { ...own, operationId: 'exportFile' },
  'POST /export/stop': { ...own, operationId: 'stopExports' },
  'GET /files': { ...own, operationId: 'listFiles', compressed: true, page: 'always' },
  'POST /files/{name}/move': { ...own, operationId: 'moveFile', access: owners, audit: 'file.move' },
  'PUT /files': { ...own, operationId: 'putTarIntoSpace', access: owners },
  'POST /files': { ...own, operationId: 'uploadTarIntoSpace', access: owners },
  'POST /files/{folder}/': { ...own, operationId: 'uploadTar', access: owners },
  'PUT /files/{name}': { ...own, operationId: 'uploadFile', access: owners },
  'GET /files/{name}': { ...own, operationId: 'downloadFile', page: 'folder' },
  'HEAD /files/{name}': { ...own, operationId: 'headFile' },
  'DELETE /files/{name}': { ...own, operationId: 'removeFile', audit: 'file.remove' },
  'PUT /files/{folder}/': { ...own, operationId: 'createFolder', access: owners },
  'DELETE /files/{folder}/': { ...own, operationId: 'removeFolder', audit: 'file.remove' },
  'GET /published': { ...own, operationId: 'listPublishers', access: clients, page: 'always' },
  'GET /published/{ops}': {
    ...own,
    operationId: 'listPublishedFiles',
    access: clients,
    compressed: true,
    page: 'always',
  },
  'POST /published/{ops}': { ...own, operationId: 'exportPublishedFiles', access: clients },
  'GET /published/{ops}/{name}': { ...own, operationId: 'downloadPublishedFile', access: clients, page: 'folder' },
  'HEAD /published/{ops}/{name}': { ...own, operationId: 'headPublishedFile', access: clients },
  'POST /tus': { ...tus, operationId: 'createResumableUpload', access: owners },
  'HEAD /tus/{id}': { ...tus, operationId: 'headResumableUpload' },
  'PATCH /tus/{id}': { ...tus, operationId: 'continueResumableUpload' },
  'DELETE /tus/{id}': { ...tus, operationId: 'stopResumableUpload' },

  'GET /jobs': { ...anyJob, operationId: 'listJobs', compressed: true, page: 'always' },
  'GET /jobs/events': { ...anyJob, operationId: 'watchJobs', caching: 'never' },
  'GET /jobs/{id}': { ...anyJob, operationId: 'getJob', page: 'always' },
  'PATCH /jobs/{id}': { ...anyJob, operationId: 'changeJob' },
  'POST /jobs/{id}/stop': { ...anyJob, operationId: 'stopJob' },
  'POST /jobs/{id}/pause': { ...anyJob, operationId: 'pauseJob' },
  'POST /jobs/{id}/resume': { ...anyJob, operationId: 'resumeJob' },
  'POST /jobs': { ...own, operationId: 'openFolderJob', uploaders: owners },
  'GET /jobs/{id}/files': { ...anyJob, operationId: 'listJobFiles', compressed: true },
  'GET /jobs/{id}/archive': { ...own, operationId: 'fetchPreparedArchive', caching: 'never' },
  'POST /jobs/{id}/finish': { ...own, operationId: 'finishFolderJob' },
  'POST /jobs/{id}/unchanged': { ...own, operationId: 'countUnchangedFiles' },
  'POST /jobs/{id}/failed': { ...own, operationId: 'countFailedFiles' },

  'POST /import': { ...own, operationId: 'importFile', access: owners },
  'POST /import/check': { ...own, operationId: 'checkImport', access: owners },
  'POST /import/stop': { ...own, operationId: 'stopImports' },
  'GET /tables': { ...own, operationId: 'listTables', compressed: true, page: 'always' },
  'GET /tables/{table}': { ...own, operationId: 'getTable', page: 'always' },
  'GET /tables/{table}/summary': { ...own, operationId: 'getTableSummary', compressed: true },
  'GET /tables/{table}/facets': { ...own, operationId: 'countValues', compressed: true },
  'GET /tables/{table}/rows': { ...own, operationId: 'listRows', compressed: true },
  'PATCH /tables/{table}': { ...own, operationId: 'changeTable', access: owners, audit: 'table.change' },
  'DELETE /tables/{table}': { ...own, operationId: 'removeTable', access: owners, audit: 'table.remove' },
  'DELETE /tables/{table}/imports/{id}': {
    ...own,
    operationId: 'removeImport',
    access: owners,
    audit: 'import.remove',
  },
  'POST /query': { ...own, operationId: 'runQuery', access: owners },

  'POST /shares': { ...shares, operationId: 'createShare', access: owners, audit: 'share.create' },
  'GET /shares': { ...shares, operationId: 'listShares' },
  'DELETE /shares/{id}': { ...shares, operationId: 'revokeShare', audit: 'share.revoke' },
  'GET /s/{token}': { access: 'open', caching: 'private', operationId: 'downloadSharedFile' },
  'POST /s/{token}': { access: 'open', caching: 'never', operationId: 'openLinkWithPassword' },
  'GET /s/{token}/{name}': { access: 'open', caching: 'private', operationId: 'downloadFileOfSharedFolder' },

  'POST /requests': { ...shares, operationId: 'createFileRequest', access: owners, audit: 'request.create' },
  'GET /requests': { ...shares, operationId: 'listFileRequests' },
  'DELETE /requests/{id}': { ...shares, operationId: 'revokeFileRequest', audit: 'request.revoke' },
  'GET /r/{token}': { ...sender, operationId: 'getOpenFileRequest' },
  'POST /r/{token}': { ...sender, operationId: 'sendForm' },
  'PUT /r/{token}/{name}': { ...sender, operationId: 'sendFile' },
  'POST /r/{token}/tus': { ...senderTus, operationId: 'beginToSendFile' },
  'HEAD /r/{token}/tus/{id}': { ...senderTus, operationId: 'headFileBeingSent' },
  'PATCH /r/{token}/tus/{id}': { ...senderTus, operationId: 'continueToSendFile' },
  'DELETE /r/{token}/tus/{id}': { ...senderTus, operationId: 'stopSendingFile' },

  'POST /signin': login,
  'DELETE /upload/terminate': dialect,
  'POST /export/terminate': dialect,
  'POST /auth/signin': login,
  'DELETE /upload/kill': dialect,
  'POST /export/kill': dialect,
  'POST /auth/users': collectLogin,
  'POST /token': collectLogin,
  'POST /token/refresh': collectLogin,
  'POST /collect/baseline': collect,
  'GET /collect/baseline': { ...collect, compressed: true },
  'DELETE /collect/baseline/{id}': { ...collect, audit: 'import.remove' },
  'POST /collect/team': collect,
  'GET /collect/team': { ...collect, compressed: true },
  'DELETE /collect/team/{id}': { ...collect, audit: 'import.remove' },
  'GET /collect/data': { ...collect, compressed: true },
  'GET /ops/signup': plainLogin,
  'POST /ops/signup': plainLogin,
  'GET /ops/login': plainLogin,
  'POST /ops/login': plainLogin,
  'GET /client/signup': plainLogin,
  'POST /client/signup': plainLogin,
  'GET /client/login': plainLogin,
  'POST /client/login': plainLogin,
  'GET /logout': { ...dialect, errors: 'plain', crossSite: 'refused', audit: 'logout' },
  'POST /ops/upload': { ...dialect, access: publishers, errors: 'plain' },
  'GET /client/files/{ops}': { ...dialect, access: clients, errors: 'plain', compressed: true },
  'GET /client/files/{ops}/{name}': { ...dialect, access: clients, errors: 'plain' },
} as const satisfies Record<RouteKey, RouteEntry>
