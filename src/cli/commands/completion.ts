import { Argument, Command } from 'commander'
import { formatCompletion, shells } from '../completion.js'
import type { Context } from '../context.js'

export function completionCommand(context: Context, loadProgram: () => Promise<Command>): Command {
  return new Command('completion')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText('after', examples)
    .action(async (shell: (typeof shells)[number]) => {
      context.stdout.write(formatCompletion(await loadProgram(), shell))
    })
}

const examples = `
Examples:
  $ filejobs completion bash > ~/.local/share/bash-completion/completions/filejobs
  $ filejobs completion zsh > "\${fpath[1]}/_filejobs"
  $ filejobs completion fish > ~/.config/fish/completions/filejobs.fish`
