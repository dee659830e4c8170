import type { Command } from 'commander'

export const shells = ['bash', 'zsh', 'fish'] as const

/** Generates a shell script that completes the commands and options; file names are completed as usual. */
export function formatCompletion(program: Command, shell: (typeof shells)[number]): string {
  const commands = program.commands.map((command) => describe(command, globalFlags(program)))
  return formatters[shell](commands, globalFlags(program))
}

interface Described {
  readonly name: string
  readonly summary: string
  readonly flags: Flag[]
  readonly subcommands: Described[]
}

interface Flag {
  readonly name: string
  readonly summary: string
}

function describe(command: Command, inherited: readonly Flag[]): Described {
  return {
    name: command.name(),
    summary: command.description(),
    flags: [...flagsOf(command), ...inherited],
    subcommands: command.commands.map((inner) => describe(inner, inherited)),
  }
}

function flagsOf(command: Command): Flag[] {
  return command.options
    .filter(({ hidden }) => !hidden)
    .map((option) => ({ name: option.long ?? option.short ?? '', summary: option.description }))
}

function globalFlags(program: Command): Flag[] {
  return [...flagsOf(program), { name: '--help', summary: 'show the help' }]
}

const formatters = { bash: formatBash, zsh: formatZsh, fish: formatFish }

function formatBash(commands: readonly Described[], flags: readonly Flag[]): string {
  const cases = commands.map(({ name, flags, subcommands }) => {
    const inner = names(subcommands)
    return `    ${name}) words='${names(flags)}' inner='${inner}' ;;`
  })
  return `# bash completion for filejobs
_filejobs() {
  local current=\${COMP_WORDS[COMP_CWORD]} command='' words='' inner='' word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in -*) ;; *) command=$word; break ;; esac
  done
  case $command in
    '') words='${names(flags)}' inner='${names(commands)}' ;;
${cases.join('\n')}
  esac
  if [[ $current == -* ]]; then COMPREPLY=($(compgen -W "$words" -- "$current"))
  elif [[ -n $inner ]]; then COMPREPLY=($(compgen -W "$inner" -- "$current"))
  fi
}
complete -o default -F _filejobs filejobs
`
}

function formatZsh(commands: readonly Described[], flags: readonly Flag[]): string {
  const cases = commands.map(({ name, flags, subcommands }) => {
    const inner = subcommands.length === 0 ? "'*:file:_files'" : `'*:command:(${names(subcommands)})'`
    return `    ${name}) _arguments ${flags.map(zshFlag).join(' ')} ${inner} ;;`
  })
  return `#compdef filejobs
_filejobs() {
  local -a commands=(
${commands.map(({ name, summary }) => `    ${quote(`${name}:${summary}`)}`).join('\n')}
  )
  local context state line
  _arguments -C ${flags.map(zshFlag).join(' ')} '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument) case $line[1] in
${cases.join('\n')}
    esac ;;
  esac
}
_filejobs "$@"
`
}

function zshFlag({ name, summary }: Flag): string {
  return quote(`${name}[${summary.replace(/[[\]:]/g, ' ')}]`)
}

function formatFish(commands: readonly Described[], flags: readonly Flag[]): string {
  const lines = ['# fish completion for filejobs']
  for (const flag of flags) lines.push(`complete -c filejobs ${fishFlag(flag)}`)
  for (const { name, summary, subcommands, ...command } of commands) {
    lines.push(`complete -c filejobs -f -n __fish_use_subcommand -a ${name} -d ${quote(summary)}`)
    const within = `-n ${quote(`__fish_seen_subcommand_from ${name}`)}`
    for (const inner of subcommands) {
      lines.push(`complete -c filejobs -f ${within} -a ${inner.name} -d ${quote(inner.summary)}`)
    }
    for (const flag of command.flags) {
      if (!flags.includes(flag)) lines.push(`complete -c filejobs ${within} ${fishFlag(flag)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function fishFlag({ name, summary }: Flag): string {
  return `-l ${name.replace(/^--/, '')} -d ${quote(summary)}`
}

function names(things: readonly { name: string }[]): string {
  return things.map(({ name }) => name).join(' ')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
