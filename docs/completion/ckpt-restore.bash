# bash completion of ckpt-restore, made by the program itself
_ckpt_restore() {
  local current=${COMP_WORDS[COMP_CWORD]}
  local options="-D --images-dir -d --restore-detached --pidfile -r --root --ext-mount-map --external --manage-cgroups --cgroup-root -j --shell-job -o --log-file -v --verbosity -h --help -V --version --manual --completion" words=""
  if [[ $current == -* ]]; then words=$options; fi
  COMPREPLY=()
  if [[ -n $words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  fi
}
complete -o bashdefault -o default -F _ckpt_restore ckpt-restore
