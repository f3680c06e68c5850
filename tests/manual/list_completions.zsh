# Prints what zsh lists at the end of a command line: zsh -f list_completions.zsh FOLDER LINE
# The completion functions in FOLDER are found as those of an installed program are.
zmodload zsh/zpty || exit 3
zpty shell zsh -f -i
# The screen is large enough for all that there may be to list. Quotes and sums keep what is waited
# for apart from the echo of what is typed; the prompt is there once the line editor reads.
zpty -w shell "stty rows 1000 columns 250; fpath=(${(q)1} \$fpath); autoload -Uz compinit; \
compinit -D -u; LISTMAX=10000; PS1='rea''dy> '"
zpty -r shell started '*ready> *'
zpty -w -n shell "$2"$'\C-d'
zpty -w shell $'\C-u print -r -- done-$((40 + 2))'
zpty -r shell shown '*done-42*'
print -r -- "$shown"
zpty -d shell
