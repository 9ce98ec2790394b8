#!/bin/sh
# A search as an array job of Slurm: a cluster of one node, this machine, made of Debian's packages in a
# scratch folder, without systemd and torn down at the end. An array job runs shares of the search, is
# cancelled, runs again; the table must be the one that `spor sweep` alone makes. Not part of `meson test`:
#
#     apt-get install -y slurmctld slurmd slurm-client munge; tests/examples/slurm.sh build/spor
#
# Root only: munged and slurmd want that. Exit status 77: skipped, with what is missing.
set -eu
spor=$(realpath "${1:-build/spor}")
models=$(realpath "$(dirname "$0")/../../models")
export SPOR_MODELS="$models" SPOR_DATA="$models/../data" PATH="$PATH:/usr/sbin"
[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 77; }
for tool in munged slurmctld slurmd sbatch sinfo scancel; do
    command -v $tool >/dev/null || { echo "skipped: no $tool"; exit 77; }
done

here=$(mktemp -d)
started=
finish() {
    status=$?
    scancel --user=root >/dev/null 2>&1 || true
    for process in $started; do kill "$process" 2>/dev/null || true; done
    for process in $started; do wait "$process" 2>/dev/null || true; done
    [ $status = 0 ] || tail -n 20 "$here"/*.log
    rm -rf "$here"
    exit $status
}
trap finish EXIT
trap 'exit 1' INT TERM
cd "$here"

# ---- the cluster ----

start() {
    name=$1
    shift
    "$@" >"$name.log" 2>&1 &
    started="$! $started"
}

# Until a command succeeds, for half a minute.
await() {
    for _ in $(seq 150); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.2
    done
    echo "it does not come: $*"
    exit 1
}

node=$(hostname -s)
mkdir state spool
dd if=/dev/urandom of=munge.key bs=128 count=1 2>/dev/null
chmod 0400 munge.key
cat >slurm.conf <<END
ClusterName=scratch
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$here/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$here/state
SlurmdSpoolDir=$here/spool
SlurmctldPidFile=$here/slurmctld.pid
SlurmdPidFile=$here/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
ReturnToService=2
KillWait=5
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF="$here/slurm.conf"
start munged munged --foreground --force --key-file="$here/munge.key" --socket="$here/munge.socket" \
    --pid-file="$here/munge.pid" --seed-file="$here/munge.seed" --log-file="$here/munge.messages"
await test -S munge.socket
start slurmctld slurmctld -D -f "$here/slurm.conf"
start slurmd slurmd -D -f "$here/slurm.conf" -N "$node"
await sh -c 'sinfo --noheader --format=%T | grep -q idle'
sinfo

# ---- the search ----

cp "$models/densenet2_20.spor" .
lists="densenet2_20.spor --set rate=0.003,0.01,0.03 --set hidden=10,20 --seed 0..1 --epochs 20"
"$spor" sweep $lists --out alone >alone.txt

cat >job.sh <<END
#!/bin/sh
exec "$spor" sweep $lists --out array --jobs 1 --checkpoint 0 --task \$SLURM_ARRAY_TASK_ID/\$SLURM_ARRAY_TASK_COUNT
END
job=$(sbatch --parsable --array=1-3 --output=%A-%a.out job.sh)
sleep 0.3
scancel "$job"
await sh -c '! squeue --noheader | grep -q .'
echo "cancelled when $(ls array/*/summary.json 2>/dev/null | wc -l) of 12 trials were there"
sbatch --wait --array=1-3 --output=%A-%a.out job.sh
tail -n 1 ./*-*.out
"$spor" sweep $lists --out array --collect | tail -n 7
cmp alone/table.csv array/table.csv
cmp alone/trials.csv array/trials.csv
echo "the array job's table is the sweep's"
