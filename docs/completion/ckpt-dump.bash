# bash completion of ckpt-dump, made by the program itself
_ckpt_dump() {
  local current=${COMP_WORDS[COMP_CWORD]}
  local options="-D --images-dir -t --tree -R --leave-running -j --shell-job -s --leave-stopped --external --ext-mount-map --evasive-devices --manage-cgroups --ghost-limit --compress --no-snapshot --plain-kernel -o --log-file -v --verbosity -h --help -V --version --manual --completion" words=""
  if [[ $current == -* ]]; then words=$options; fi
  COMPREPLY=()
  if [[ -n $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  fi
}
complete -o bashdefault -o default -F _ckpt_dump ckpt-dump
