import { z } from 'zod'
import { fileSchema } from './files.js'

const exampleFolder = { name: 'reports/', files: 12, bytes: 8_400_000, modifiedAt: '2026-11-20T09:31:07.000Z' }

export const folderSchema = z
  .object({
    name: z.string().meta({ description: 'ends with a slash' }),
    files: z
      .int()
      .nullable()
      .meta({ description: 'number of files below it at any depth; null until they are counted' }),
    bytes: z.int().nullable().meta({ description: 'their bytes; null until they are counted' }),
    modifiedAt: z.iso.datetime(),
  })
  .meta({ id: 'Folder', example: exampleFolder })
export type FolderRecord = z.infer<typeof folderSchema>

const totalsSchema = z.object({
  files: z.int().meta({ description: 'files of this level, on all pages' }),
  folders: z.int().meta({ description: 'folders of this level, on all pages' }),
  bytes: z.int().nullable().meta({ description: 'of everything below, at any depth; null until they are counted' }),
})

export const folderLevelSchema = z
  .object({
    files: z.array(fileSchema),
    folders: z.array(folderSchema).meta({ description: 'they come before the files, sorted by name' }),
    totals: totalsSchema,
    next: z.string().nullable(),
  })
  .meta({
    id: 'FolderLevel',
    example: { files: [], folders: [exampleFolder], totals: { files: 0, folders: 1, bytes: 8_400_000 }, next: null },
  })
export type FolderLevelList = z.infer<typeof folderLevelSchema>
