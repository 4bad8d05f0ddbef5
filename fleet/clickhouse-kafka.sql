-- Takes the lines that kafka.conf sends into the tables of clickhouse.sql, which come first. With a broker's name in
-- place of BROKER. The consumer group knows what has been taken.

create table if not exists kafka (
    text String
) engine = Kafka settings kafka_broker_list = 'BROKER:9092', kafka_topic_list = 'scanlogd',
    kafka_group_name = 'scanlogd-fleet', kafka_format = 'LineAsString';

create materialized view if not exists take_kafka to line as select text from kafka;
