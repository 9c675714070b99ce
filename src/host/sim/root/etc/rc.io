# Disk writes and reads by several processes.
repeat 2
fio /tmp/f0 24 1$i &
fio /tmp/f1 16 2$i &
fio /tmp/f2 8 3$i
op create:/tmp/s write:8192 fsync drop lseek:0 read:8192 close
wait
end
rm /tmp/f0 /tmp/f1 /tmp/f2 /tmp/s
