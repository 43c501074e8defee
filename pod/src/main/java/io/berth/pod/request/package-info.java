/** Whether a request can be carried out at all, before anything is done for it. What is allowed is the kubelet's decision. */
package io.berth.pod.request;
